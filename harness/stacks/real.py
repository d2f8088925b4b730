"""Which channels of a stack are real: by them people are reached, and nothing stands in for the service."""

from __future__ import annotations

from harness.communications.channels import Channel
from harness.errors import Refused
from harness.stacks import Stack
from harness.stacks.capabilities import find
from harness.stacks.capabilities.messaging import Reaching

HINT = "docs/add-a-stack.md says how a stack names a real channel"


def real_channels(stack: Stack) -> dict[str, Channel]:
    """By their kind; none where it names none. Errors: `Refused`, and nothing of a channel is repeated."""
    reaching = find(stack, Reaching)
    found = dict(reaching.real_channels()) if reaching else {}
    for kind, channel in found.items():
        if getattr(channel, "real", None) is not True:
            raise Refused(f"`real_channels` names {kind}, which is no real channel", hint=f"real=True; {HINT}")
        if channel.name != kind:
            raise Refused(f"`real_channels` names {kind}, and that is a channel of the kind {channel.name}", hint=HINT)
    return found


def kept_out(stack: Stack) -> list[str]:
    """What must not reach a pack: passwords, and what is private of real channels. Errors: `Refused`."""
    reaching = find(stack, Reaching)
    private = reaching.private() if reaching else ()
    if isinstance(private, str) or not all(isinstance(word, str) and word.strip() for word in private):
        raise Refused("`private` is no sequence of words, none of them empty", hint=HINT)
    return [*stack.secrets, *private]
