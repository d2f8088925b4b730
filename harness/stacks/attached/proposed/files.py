"""All files of a proposal, by their names: a stack file, and a project that has drills for it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import Refused
from harness.stacks.attached.proposed.client_text import books_text, client_text
from harness.stacks.attached.proposed.feature_text import features
from harness.stacks.attached.proposed.plan_text import plan_text
from harness.stacks.attached.proposed.proposal import Proposal
from harness.stacks.attached.proposed.stack_text import said, stack_text

STACK, PROJECT, PLAN = "stack.yaml", "project.yaml", "plan.yaml"
CLIENT, BOOKS = "client.yaml", "books.yaml"
IGNORED = "# Evidence is kept elsewhere, and keys nowhere here.\n/evidence/\n*.key\n*.pem\n*.word\n.env\n__pycache__/\n"


def files_of(found: Proposal, folder: Path) -> Mapping[str, str]:
    """In the order in which people read them. Errors: `Refused` where nothing may be hurt."""
    drills = features(found)
    if not drills:
        hint = "name a component that may be hurt: --component NAME=api"
        raise Refused("there is no component that a drill may hurt", hint=hint)
    books = {BOOKS: books_text(found)} if found.database else {}
    project = f"format: 1\nname: {said(found.name)}\nplan: {PLAN}\nfeatures: features\nclient: {CLIENT}\n"
    project += f"books: {BOOKS}\n" if books else ""
    return {
        STACK: stack_text(found, folder),
        PROJECT: project,
        PLAN: plan_text(found, drills),
        CLIENT: client_text(found),
        **books,
        **{f"features/monthly/{each.file}": each.text for each in drills},
        ".gitignore": IGNORED,
    }
