"""Characters that nobody sees in a text that looks right: spaces that are none, what has no width, letters of another
script. Where a text is not understood, they are named."""

from __future__ import annotations

import unicodedata

RETYPE = "type that place anew: it was pasted with a character that looks like another, or like none"
SHOWN = 3  # characters that one error names
_ORDINARY = " \t\n\r"
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Zs", "Zl", "Zp"}
_BLANK = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters and marks that are drawn as nothing
# What looks like ASCII and is not, beyond what Unicode itself calls another form of the same letter.
_LOOKS = str.maketrans(
    "аеорсухіѕјһԁԛԝАВЕКМНОРСТУХІЅЈԌԚԜ" + "οναΑΒΕΖΗΙΚΜΝΟΡΤΥΧ" + "ıɡ" + "‐‑‒–—―−" + "‘’‚′‵“”„″" + "∕⁄∶",  # noqa: RUF001  these are what it looks for
    "aeopcyxisjhdqwABEKMHOPCTYXISJGQW" + "ovaABEZHIKMNOPTYX" + "ig" + "-------" + "'''''" + '""""' + "//:",
)


def unseen(text: str) -> str:
    """`U+00A0 NO-BREAK SPACE after "4"`, or several of that; empty where every character is what it looks like.

    Letters of a text that is written in another script altogether look like what they are.
    """
    latin = all(_latin(char) for char in text if char.isalpha())
    found = [at for at, char in enumerate(text) if _is_unseen(char) or (latin and not char.isascii() and _like(char))]
    said = "; ".join(_said(text, at) for at in found[:SHOWN])
    return said + (f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else "")


def _said(text: str, at: int) -> str:
    char = text[at]
    name = f"U+{ord(char):04X} {unicodedata.name(char, 'which has no name')}"
    name += "" if _is_unseen(char) else f", which looks like {_like(char)},"
    before = "".join(each for each in text[max(0, at - 40) : at] if not _is_unseen(each)).split()
    return f'{name} after "{before[-1]}"' if before else f"{name} at the beginning"


def _is_unseen(char: str) -> bool:
    if char in _ORDINARY:
        return False
    blank = unicodedata.category(char) in _UNSEEN or char in _BLANK
    return blank or unicodedata.name(char, "").startswith("VARIATION SELECTOR")


def _like(char: str) -> str:
    """The ASCII that it looks like; empty where it looks like none."""
    like = unicodedata.normalize("NFKC", char).translate(_LOOKS)
    return like if like.isascii() else ""


def _latin(char: str) -> bool:
    return bool(_like(char)) or unicodedata.name(char, "").startswith("LATIN")
