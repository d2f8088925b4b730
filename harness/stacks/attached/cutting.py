"""Cuts containers off by rules in their own network: a helper beside each, with the right to change them, for a moment.

Packets are dropped without a word, both ways: names and addresses stay. The rules are the network's: a container that
has died and was started again has a new one without them, so what is cut is looked at, and never remembered.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from harness.errors import DrillError
from harness.stacks.docker import engine, image
from harness.stacks.docker import stamped as stamped_source
from harness.stacks.docker.engine import labels, moment_of, told
from harness.system import clock
from harness.system.clock import Moment, spanning

CHAIN = "DRDRILL"
BOTH = "iptables $(ip6tables -w -L INPUT >/dev/null 2>&1 && echo ip6tables)"  # a kernel may have no IPv6
WITHIN = f"""
for each in {BOTH}; do
  $each -w -N {CHAIN} 2>/dev/null || $each -w -F {CHAIN}
  $each -w -A {CHAIN} -i lo -j RETURN
  $each -w -A {CHAIN} -o lo -j RETURN
done
"""
CUT = f"""
for each in {BOTH}; do for way in INPUT OUTPUT; do
  $each -w -C $way -j {CHAIN} 2>/dev/null || $each -w -I $way 1 -j {CHAIN}
done; done
"""
JOIN = f"""
for each in {BOTH}; do
  for way in INPUT OUTPUT; do while $each -w -D $way -j {CHAIN} 2>/dev/null; do :; done; done
  $each -w -F {CHAIN} 2>/dev/null || true
  $each -w -X {CHAIN} 2>/dev/null || true
done
"""
NOTHING = ":"


def rules(others: Sequence[str]) -> str:
    """What drops all packets but those of the loopback and of these addresses, once it is taken."""
    passes = "".join(f"iptables -w -A {CHAIN} {way} {at} -j RETURN\n" for at in others for way in ("-s", "-d"))
    return f"{WITHIN}{passes}for each in {BOTH}; do $each -w -A {CHAIN} -j DROP; done\n"


class Found(Protocol):
    """What is cut: a container."""

    @property
    def id(self) -> str: ...
    @property
    def address(self) -> str: ...
    def running(self) -> bool: ...
    @property
    def shared_network(self) -> str: ...
    def must_be_alone(self) -> None:
        """Errors: `Unable`."""


class Cutter:
    """Of one platform. `helper`: the image; empty: the machine's own, which also says when it was."""

    def __init__(self, boxes: Any, *, label: str, helper: str = "") -> None:
        self._boxes: dict[str, Found] = dict(boxes)
        self._label = label
        self._helper = helper

    def cut(self, names: Sequence[str]) -> Moment | None:
        """Off from all but each other. What does not run is not cut. Harmless when repeated.

        Errors: `Unable` where others are in the network of one, before anything is cut.
        """
        found = [name for name in names if name in self._boxes and self._boxes[name].running()]
        for name in found:
            self._boxes[name].must_be_alone()
        beside = {name: self._boxes[name].address for name in found}
        acts = [partial(self._cut_one, name, [at for other, at in beside.items() if other != name]) for name in found]
        return spanning(engine.at_once(acts, threads=max(1, len(acts))))

    def join(self, names: Sequence[str]) -> Moment | None:
        """Whatever is cut of these; harmless where nothing is."""
        acts = [partial(self._join_one, name) for name in names if name in self._boxes]
        return spanning(engine.at_once(acts, threads=max(1, len(acts))))

    def beside(self, name: str, argv: Sequence[str], *, env: dict[str, str], what: str) -> str:
        """What a command says that runs in the network of a component: no cut hides what is on its loopback.

        Errors: `DrillError`.
        """
        return self._run(self._boxes[name].id, argv[0], argv[1:], what=what, env=env)

    def _cut_one(self, name: str, others: Sequence[str]) -> Moment | None:
        return self._rules(name, before=rules(others), act=CUT, what=f"cutting {name} off")

    def _join_one(self, name: str) -> Moment | None:
        box = self._boxes[name]
        if not box.running() or box.shared_network:  # what is another's was never cut here
            return None
        return self._rules(name, before=NOTHING, act=JOIN, what=f"joining {name}")

    def _rules(self, name: str, *, before: str, act: str, what: str) -> Moment | None:
        asked, found = clock.mono(), self._boxes[name].id
        if self._helper:
            self._run(found, "sh", ["-ec", f"{before}\n{act}"], what=what)
            return None
        words = ["-c", Path(stamped_source.__file__).read_text(encoding="utf-8"), before, act]
        return moment_of(self._run(found, "python3", words, what=what), asked=asked)

    def _run(self, beside: str, entrypoint: str, words: Sequence[str], *, what: str, env: Any = None) -> str:
        from docker.errors import APIError, ContainerError  # noqa: PLC0415  (see engine)

        named = f"drdrill-helper-{secrets.token_hex(6)}"
        with told(what):
            try:
                said: bytes = engine.engine().containers.run(
                    self._helper or image.name(), list(words), entrypoint=[entrypoint], cap_add=["NET_ADMIN"],
                    network_mode=f"container:{beside}", remove=True, user="0", environment=env or {},
                    labels=labels(self._label, "helper"), use_config_proxy=False, name=named,
                )  # fmt: skip  # arguments in groups
            except ContainerError as error:
                raw = error.stderr or b""
                text = raw.decode(errors="replace") if isinstance(raw, bytes) else raw
                last = text.strip().splitlines() or ["without a word"]
                hint = "a helper needs sh, iptables and ip6tables: `compose: helper:` of the stack file names its image"
                raise DrillError(f"{what}: {last[-1]}", hint=hint) from None
            except APIError:  # such as where what it stands beside has just died: it was made, and never started
                with suppress(APIError):
                    engine.engine().containers.get(named).remove(force=True)
                raise
        return said.decode(errors="replace")
