"""What code asks of a stack, read from its source: each `need(place, X)` on the way down from a function or a class.

It follows functions and classes by their names, methods of `self`, and the parts of a scenario (`scenario.faults`) by
what `__init__` says that they are. It follows every branch: what is asked only sometimes is a line of `SOMETIMES`.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from harness.scenario.scenario import ScenarioRun
from harness.stacks import capabilities
from harness.stacks.capabilities import sabotage
from harness.stacks.needs import HEALTH, Need, flat

OURS = ("harness.", "drills.")
ASKS = {capabilities.need: True, capabilities.find: False, isinstance: False}  # whether it cannot do without
# What is asked on one branch only, by who asks and what: whoever takes that branch says so itself.
SOMETIMES = {
    ("Run.stack", "Startable"): "a stack that a run makes can be started, whatever else it has",
    ("Workload._words", "DirectAccess"): "only of customers inside a zone: `Group`",
    ("Workload._entrance", "ZoneServices"): "only of customers inside a zone: `Group`",
    ("Workload._stand", "Standpoints"): "only of customers inside a zone: `Group`",
    ("_volumes_lost", "DamageStoredObject"): "only where it is sabotaged: `Sabotage.needs`",
    ("_blacked_out", "Delayable"): "only where it is sabotaged: `Sabotage.needs`",
    ("_activated", "Delayable"): "only where it is sabotaged: `Sabotage.needs`",
    ("Communications.begin", "Interruptible"): "only where it is sabotaged: `Sabotage.needs`",
    ("outside", "Group"): "these stand outside of all zones",
    ("find_mistake", "LogReadable"): "only where there is a mistake to be found",
    ("_logged", "LogReadable"): "only where there is a mistake to be found",
}


class Asked:
    """What was found: `needed`, and what was only `looked_for`; `used` are the lines of `SOMETIMES` that were met."""

    def __init__(self) -> None:
        self.needed: set[Need] = set()
        self.looked_for: set[type] = set()
        self.used: set[tuple[str, str]] = set()
        self._seen: set[object] = set()

    def function(self, function: Callable[..., Any], owner: type | None = None) -> None:
        """All that it asks, and all that it calls."""
        if function in self._seen or not _is_written(function):
            return
        self._seen.add(function)
        tree, names = _tree(function), _names(function)
        for node in _walked(tree):
            if isinstance(node, ast.Call):
                self._call(node, names, function)
            if isinstance(node, ast.Name | ast.Attribute):
                self._use(_resolve(node, names, owner, tree), function)

    def whole(self, found: type) -> None:
        """All that any of its methods asks."""
        if found in self._seen:
            return
        self._seen.add(found)
        for each in vars(found).values():
            if (function := _function(each)) is not None:
                self.function(function, found)

    def _call(self, node: ast.Call, names: Mapping[str, Any], by: Callable[..., Any]) -> None:
        asks = names.get(node.func.id) if isinstance(node.func, ast.Name) else None
        must = ASKS.get(asks) if asks in ASKS else None
        if must is None:
            return
        wanted = names.get(node.args[1].id) if isinstance(node.args[1], ast.Name) else None
        if not isinstance(wanted, type) or wanted not in KNOWN or wanted.__module__ == sabotage.__name__:
            return
        if must and not self._only_sometimes(by, wanted):
            self.needed.add(wanted)
        self.looked_for.add(wanted)

    def _use(self, found: Any, by: Callable[..., Any]) -> None:
        if found is HEALTH:
            self.needed.add(HEALTH)
        elif isinstance(found, Method):
            self.function(found.function, found.owner)
        elif isinstance(found, FunctionType) and found.__module__.startswith(OURS) and found not in ASKS:
            self.function(found)
        elif isinstance(found, type) and found.__module__.startswith(OURS) and found not in KNOWN:
            self._class(found, by)
        elif type(found).__module__.startswith(OURS) and not isinstance(found, type | ModuleType):
            self._class(type(found), by)

    def _class(self, found: type, by: Callable[..., Any]) -> None:
        """One that says itself what it needs is believed: it is looked at by itself."""
        if isinstance(vars(found).get("needs"), tuple):
            if not self._only_sometimes(by, found):
                self.needed |= set(flat(found.needs))
        elif not getattr(found, "_is_protocol", False):
            self.whole(found)

    def _only_sometimes(self, by: Callable[..., Any], wanted: type) -> bool:
        line = (by.__qualname__.replace(".<locals>", "").removesuffix(".fget"), wanted.__name__)
        self.used |= {line} & SOMETIMES.keys()
        return line in SOMETIMES


KNOWN = {each.protocol for each in capabilities.CAPABILITIES}


def _resolve(node: ast.expr, names: Mapping[str, Any], owner: type | None, tree: ast.FunctionDef) -> Any:
    """What an expression is, as far as names tell: an object, a `Method`, or of a part of a scenario its class."""
    if isinstance(node, ast.Name):
        if node.id == "self" and owner is not None:
            return Typed(owner)
        if _annotation(tree, node.id) == "ScenarioRun":
            return Typed(ScenarioRun)
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        inner = _resolve(node.value, names, owner, tree)
        if isinstance(inner, Typed):
            return inner.attribute(node.attr)
        if isinstance(inner, ModuleType):
            return getattr(inner, node.attr, None)
    return None


class Method(NamedTuple):
    """A method or a property, and whose it is."""

    function: Callable[..., Any]
    owner: type


class Typed:
    """Something of which only the class is known."""

    def __init__(self, found: type) -> None:
        self.found = found

    def attribute(self, name: str) -> Any:
        if self.found.__name__ == "Run" and name == "health":
            return HEALTH
        kept = inspect.getattr_static(self.found, name, None)
        if (function := _function(kept)) is not None:
            return Method(function, self.found)
        made = _parts(self.found).get(name)
        return Typed(made) if made is not None else None


@cache
def _parts(found: type) -> dict[str, type]:
    """The attributes that `__init__` makes of a class, or takes as an argument of one."""
    init = vars(found).get("__init__")
    if not isinstance(init, FunctionType) or not _is_written(init):
        return {}
    tree, names, parts = _tree(init), _names(init), {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Attribute):
            continue
        made = None
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Name):
            made = names.get(node.value.func.id)
        elif isinstance(node.value, ast.Name):
            made = names.get(_annotation(tree, node.value.id))
        if isinstance(made, type) and made.__module__.startswith(OURS):
            parts[node.targets[0].attr] = made
    return parts


def _annotation(tree: ast.FunctionDef, argument: str) -> str:
    for each in (*tree.args.args, *tree.args.kwonlyargs):
        if each.arg == argument and isinstance(each.annotation, ast.Name):
            return each.annotation.id
    return ""


def _walked(tree: ast.FunctionDef) -> Iterator[ast.AST]:
    """Its body, without what only says of which type something is."""
    left: list[ast.AST] = [*tree.body]
    while left:
        node = left.pop()
        yield node
        skipped = {id(getattr(node, name, None)) for name in ("annotation", "returns")}
        left += [child for child in ast.iter_child_nodes(node) if id(child) not in skipped]


@cache
def _tree(function: Callable[..., Any]) -> ast.FunctionDef:
    parsed = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(parsed, ast.FunctionDef), function
    return parsed


def _names(function: Any) -> dict[str, Any]:
    closure = inspect.getclosurevars(function).nonlocals
    imported = {}
    for node in ast.walk(_tree(function)):  # inside of it
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(OURS):
            module = __import__(node.module, fromlist=["*"])
            imported |= {alias.asname or alias.name: getattr(module, alias.name) for alias in node.names}
    return {"isinstance": isinstance, **function.__globals__, **imported, **closure}


def _is_written(function: Any) -> bool:
    """In a file, with a name: what a dataclass makes for itself asks for nothing."""
    written = inspect.unwrap(function)
    return Path(written.__code__.co_filename).is_file() and written.__name__ != "<lambda>"


def _function(kept: Any) -> FunctionType | None:
    for each in (kept, getattr(kept, "fget", None), getattr(kept, "func", None), getattr(kept, "__func__", None)):
        if isinstance(each, FunctionType):
            return each
    return kept.__func__ if isinstance(kept, MethodType) else None
