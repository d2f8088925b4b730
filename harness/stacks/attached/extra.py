"""What attaching stands on, on this side of the engine: by what a stack file takes."""

from harness.stacks.attached.file.described import StackFile
from harness.stacks.extras import Extra

SET_UP = "bin/set-up docker"


def extra_for(said: StackFile) -> Extra:
    """The modules that must be there for this file."""
    modules = [
        *(["docker"] if any(one.is_container for one in said.components.values()) else []),
        *(["psycopg"] if said.database or said.backups else []),
        *(["testcontainers"] if said.for_the_run else []),
    ]
    return Extra("docker", SET_UP, tuple(modules))
