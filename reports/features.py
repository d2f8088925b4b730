"""The sentences of a scenario, read from the feature files of a pack, and the demands that its tags name."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from harness.evidence import files

KEYWORDS = ("Given", "When", "Then", "And", "But")
MARK = re.compile(r"<([^<>]+)>")


@dataclass(frozen=True)
class Sentence:
    keyword: str
    text: str
    background: bool


@dataclass(frozen=True)
class Wording:
    """A scenario as it is written: the feature's name, the sentences, its tags without `@`."""

    feature: str
    title: str
    sentences: tuple[Sentence, ...]
    tags: tuple[str, ...]


def find(folder: Path, title: str) -> Wording | None:
    """The scenario of that title in the pack's features; of an outline, the marks are filled in from the title."""
    for path in sorted((folder / "features").rglob("*.feature")):
        for wording in _read(_text(path)):
            values = _fits(wording.title, title)
            if values is not None:
                filled = tuple(replace(sentence, text=_filled(sentence.text, values)) for sentence in wording.sentences)
                return replace(wording, title=title, sentences=filled)
    return None


def _text(path: Path) -> str:
    """Empty where it cannot be read: then the sentences of its scenarios are not shown."""
    try:
        return files.content(path, largest=files.LARGEST_TEXT).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _filled(text: str, values: dict[str, str]) -> str:
    return MARK.sub(lambda mark: values.get(mark[1], mark[0]), text)


def _fits(pattern: str, title: str) -> dict[str, str] | None:
    if pattern == title:
        return {}
    names = MARK.findall(pattern)
    if not names:
        return None
    pieces = [re.escape(piece) for piece in MARK.split(pattern)[::2]]
    found = re.fullmatch("(.+?)".join(pieces), title)
    return dict(zip(names, found.groups(), strict=True)) if found else None


def _read(text: str) -> list[Wording]:
    feature, background, in_background = "", list[Sentence](), False
    pending: list[str] = []
    feature_tags: list[str] = []
    found: list[tuple[str, list[Sentence], list[str]]] = []
    for raw in text.splitlines():
        line = raw.strip()
        head, _, rest = line.partition(":")
        word = line.split(" ", 1)[0]
        if line.startswith("@"):
            pending += [tag.lstrip("@") for tag in line.split() if tag.startswith("@")]
        elif head == "Feature":
            feature, feature_tags, pending = rest.strip(), pending, []
        elif head == "Background":
            in_background = True
        elif head in ("Scenario", "Scenario Outline", "Example"):
            found.append((rest.strip(), [], [*feature_tags, *pending]))
            in_background, pending = False, []
        elif head in ("Examples", "Scenarios"):
            pending = []
        elif word in KEYWORDS and (in_background or found):
            into = background if in_background else found[-1][1]
            into.append(Sentence(word, line[len(word) :].strip(), in_background))
    return [Wording(feature, title, (*background, *own), tuple(tags)) for title, own, tags in found]


def demands(folder: Path) -> dict[str, str]:
    """Demand ids and their sentences from the pack's plan; empty where it cannot be read."""
    path = folder / "plan.yaml"
    try:
        plan = yaml.safe_load(files.content(path, largest=files.LARGEST_TEXT).decode())
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return {}
    listed = plan.get("demands") if isinstance(plan, dict) else None
    found = listed.items() if isinstance(listed, dict) else ()
    return {str(id): text for id, text in found if isinstance(text, str)}  # an alias may say a billion others
