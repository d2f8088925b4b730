"""What a kind of stack stands on, and the machine itself does not: it is installed by an extra of the wheel."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec

from harness.errors import Refused


@dataclass(frozen=True)
class Extra:
    """Of one kind of stack."""

    name: str  # in the wheel
    set_up: str  # what installs it in a clone
    modules: tuple[str, ...]  # that must be there
    alone: tuple[str, str] = ("", "")  # a module that the wheel cannot ask for, and what installs it

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f"pip install 'drdrill[{self.name}]'"

    def must_be_installed(self) -> None:
        """Errors: `Refused`, with what installs it, where something is not there."""
        module, command = self.alone
        missing = [name for name in (*self.modules, module) if name and find_spec(name) is None]
        if not missing:
            return
        words = [self.install] if missing != [module] else []
        words += [command] if module in missing else []
        raise Refused(
            f"packages that this kind of stack stands on are not installed: {', '.join(missing)}",
            hint=f"{' && '.join(words)}; in a clone: {self.set_up}",
        )
