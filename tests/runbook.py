"""The runbook as its tests read it: the shell blocks, and under which step each of them stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RUNBOOKS = Path(__file__).parent.parent / "drills" / "runbooks"
RUNBOOK = RUNBOOKS / "database-backup-restoration.md"
REGIONAL = RUNBOOKS / "regional-failover.md"
MISTAKE_ONLY = "*After a mistake only.*"


@dataclass(frozen=True)
class Section:
    """What stands under one heading."""

    title: str
    step: bool  # a heading of the third level
    text: str

    @property
    def mistake_only(self) -> bool:
        return self.text.startswith(MISTAKE_ONLY)

    def blocks(self, info: str) -> list[str]:
        return re.findall(rf"^```{info}\n(.*?)^```$", self.text, re.MULTILINE | re.DOTALL)


def sections(page: Path = RUNBOOK) -> Iterator[Section]:
    """In the order of the page; a heading inside a block is none."""
    outside = re.compile(r"^(#{2,3}) (.+?)\n+((?:^```.*?^```$|(?!#{2,3} ).)*)", re.MULTILINE | re.DOTALL)
    for level, title, text in outside.findall(page.read_text(encoding="utf-8")):
        yield Section(title, step=level == "###", text=text)


def steps(*, mistaken: bool) -> list[Section]:
    return [one for one in sections() if one.step and (mistaken or not one.mistake_only)]


def while_all_is_well() -> str:
    """The commands that the monitor runs, with what they need."""
    return _script([one for one in sections() if one.title.startswith(("Open a shell", "What must have been"))])


def recovery(*, mistaken: bool) -> str:
    """All commands of one of the two cases, in the order of the page."""
    wanted = {one.title for one in steps(mistaken=mistaken)} | {"Open a shell", "Afterwards"}
    return _script([one for one in sections() if one.title in wanted], before=False)


def regional_steps() -> list[Section]:
    """Of the way there and the way back: what is said once, before them, has more than one word for a title."""
    return [one for one in sections(REGIONAL) if " " not in one.title]


def regional(*titles: str) -> str:
    """The commands of these steps of the regional runbook, in the order of the page, in a shell of their own."""
    return _script([one for one in sections(REGIONAL) if one.title == "Open a shell" or one.title in titles])


def _script(chosen: list[Section], *, before: bool = True) -> str:
    lines = []
    for section in chosen:
        lines.append(f"echo '### {section.title}'")
        lines += section.blocks("sh")
        lines += section.blocks("sh before") if before else []
    return "\n".join(lines)
