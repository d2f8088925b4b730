"""What must agree before and after a disaster: rules that are data, over values that only a project understands.

A project says the rules; they are in the journal before anything is hurt. The vocabulary is fixed, and docs/journal.md
describes it so that a stranger can judge by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, NamedTuple, get_args

from harness.checks import Outcome
from harness.checks.evidence import Unsound

Word = Literal["equal", "zero", "not_behind", "same_names"]
ANY = "*"  # at the end of a name: whatever follows
MISSING = "is missing after the recovery"


@dataclass(frozen=True)
class Rule:
    """What must hold for the values of a name, or of all names that begin with one (`history.*`).

    `equal`: as before. `zero`: 0 afterwards. `not_behind`: not less than the value `than` afterwards; where there is no
    such value, not less than before. `same_names`: the same members, whatever they are. `says` is what such a value is,
    in words. A `required` rule without any value is UNKNOWN, so that what was left out cannot pass. Errors: ValueError.
    """

    rule: Word
    values: str
    says: str = ""
    than: str = ""
    required: bool = True

    def __post_init__(self) -> None:
        texts = (self.rule, self.values, self.says, self.than)
        if not all(isinstance(text, str) for text in texts) or not isinstance(self.required, bool):
            raise ValueError("`rule`, `values`, `says` and `than` are texts, and `required` is true or false")
        if self.rule not in get_args(Word):
            raise ValueError(f"the rule {self.rule!r} is not known: there are {', '.join(get_args(Word))}")
        if not self.values or ANY in self.values[:-1]:
            raise ValueError(f"{self.values!r} is no name, nor the beginning of one with {ANY} at its end")
        if self.than and self.rule != "not_behind":
            raise ValueError(f"`than` has no meaning for the rule {self.rule}")

    def said(self) -> dict[str, Any]:
        """As the journal has it."""
        return asdict(self)

    def concerns(self, name: str) -> bool:
        begin = self.values.removesuffix(ANY)
        return name.startswith(begin) if begin != self.values else name == begin


class Compared(NamedTuple):
    """One value by one rule; `why` is empty where it is as it must be."""

    outcome: Outcome
    why: str = ""


def read(said: Any) -> tuple[Rule, ...]:
    """The rules of a line of the journal; what a rule says beyond what is known is left out.

    Errors: `Unsound` for a rule that is none, which is named by its place.
    """
    if not isinstance(said, list) or not said:
        raise Unsound("no rule says what must agree")
    return tuple(_rule(place, each) for place, each in enumerate(said, 1))


def _rule(place: int, said: Any) -> Rule:
    if not isinstance(said, dict) or "rule" not in said or "values" not in said:
        raise Unsound(f"rule {place} of what must agree does not say `rule` and `values`")
    known = {name: said[name] for name in Rule.__dataclass_fields__ if name in said}
    try:
        return Rule(**known)
    except ValueError as error:
        raise Unsound(f"rule {place} of what must agree: {error}") from None


def compare(
    rules: Sequence[Rule], before: Mapping[str, Any], after: Mapping[str, Any], *, missing: Outcome = Outcome.UNKNOWN
) -> Iterator[Compared]:
    """Every value that a rule concerns, by that rule, and every required rule without a value.

    `missing`: what it means that one of the two values that a rule compares was not taken.
    """
    for rule in rules:
        names = sorted(name for name in before.keys() | after.keys() if rule.concerns(name))
        if not names and rule.required:
            yield Compared(Outcome.UNKNOWN, f"no figure {rule.values} was taken")
        for name in names:
            if absent := _absent(rule, name, before, after):
                yield Compared(missing, absent)
            else:
                wrong = _broken(rule, name, before, after)
                yield Compared(Outcome.MISSED if wrong else Outcome.MET, wrong)


def label(rules: Sequence[Rule], name: str) -> str:
    """A value in the words of the first rule that concerns it, and what a rule for many leaves open; else its name."""
    rule = next((rule for rule in rules if rule.says and rule.concerns(name)), None)
    if rule is None:
        return name
    rest = name.removeprefix(rule.values.removesuffix(ANY)).replace("_", " ") if rule.values.endswith(ANY) else ""
    return f"{rule.says}: {rest}" if rest else rule.says


def _absent(rule: Rule, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    if name not in after:
        return f"{name} {MISSING}"
    asked = rule.rule != "zero"
    return f"{name} was not there before the disaster" if asked and name not in before else ""


def _broken(rule: Rule, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What differs, in words; empty where it is as it must be."""
    if rule.rule == "zero":
        return "" if _number(after[name]) == 0 else f"{name} is {after[name]}, not 0"
    if rule.rule == "not_behind" and rule.than in after:
        return _behind(name, after[rule.than], after[name], rule.than)
    return _COMPARE[rule.rule](name, before[name], after[name])


def _equal(name: str, before: Any, after: Any) -> str:
    left, right = _number(before), _number(after)
    if before == after or (left is not None and left == right):
        return ""
    if isinstance(before, dict) and isinstance(after, dict):
        differ = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        return f"{name} differs in {', '.join(differ)}"
    if isinstance(before, list) and isinstance(after, list):
        if sorted(map(str, before)) == sorted(map(str, after)):
            return ""
        gone = [str(each) for each in before if each not in after]
        new = [str(each) for each in after if each not in before]
        return f"{name}: gone {', '.join(gone) or 'none'}, new {', '.join(new) or 'none'}"
    return f"{name} was {before}, is {after}"


def _not_behind(name: str, before: Any, after: Any) -> str:
    return _behind(name, before, after, "before")


def _behind(name: str, floor: Any, value: Any, what: str) -> str:
    if isinstance(floor, dict) and isinstance(value, dict):
        said = [_behind(f"{name} {key}", floor[key], value.get(key), what) for key in sorted(floor)]
        return "; ".join(each for each in said if each)
    left, right = _number(floor), _number(value)
    if left is None:
        return ""  # nothing that it could be behind
    if right is None:
        return f"{name} {MISSING}"
    return f"{name} is {value}, less than {floor} ({what})" if right < left else ""


def _same_names(name: str, before: Any, after: Any) -> str:
    return _equal(name, sorted(map(str, before)), sorted(map(str, after)))


_COMPARE: Mapping[Word, Callable[[str, Any, Any], str]] = {
    "equal": _equal,
    "not_behind": _not_behind,
    "same_names": _same_names,
}


def _number(value: Any) -> Decimal | None:
    """As a number, for "12.50" and 12.5 are the same; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
