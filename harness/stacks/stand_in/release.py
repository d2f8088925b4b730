"""A release of the platform's API: a file that it reads when it starts, and without which it does not run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

FIRST = "1.0"
CONTENT: dict[str, Any] = {"limits": {"amount": "1000000000000000", "body": 10_000}}  # of the first release


class BadRelease(Exception):
    """A release with which the API cannot run."""


@dataclass(frozen=True)
class Release:
    """What the API takes from its release."""

    version: str
    most_amount: Decimal  # of one transaction, exclusive
    most_body: int  # bytes of one request

    @classmethod
    def read(cls, file: Path) -> Release:
        """From its file, whose name is the version. Errors: `BadRelease`."""
        try:
            limits = json.loads(file.read_text())["limits"]
            return cls(file.stem, Decimal(limits["amount"]), int(limits["body"]))
        except (OSError, ValueError, KeyError, TypeError, InvalidOperation) as error:
            raise BadRelease(f"release {file.stem} cannot run: {type(error).__name__}: {error}") from None
