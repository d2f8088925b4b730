"""The conference bridge: nobody is called by a machine here. It is a task for a person, who says when it is done.

Where people take part, it is theirs; else something stands in for them. Both are given to the channel.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import partial

from harness.communications.channels import PATIENCE, AtPage, NotSent, Receipt, must_stay_here, token
from harness.communications.message import Message
from harness.system.clock import Moment
from harness.system.http import DIRECT, Http


@dataclass(frozen=True)
class Task:
    """What a person is asked to do. It has telephone numbers: it is shown, and never recorded."""

    token: str
    role: str
    does: str = field(repr=False)


def _done(token: str) -> None:
    """What stands in for people needs not be told."""


@dataclass(frozen=True)
class Bridge:
    """Fills `Channel`.

    `number`: of the bridge. `give` puts a task before people; what it raises is why it could not. `joined`: when the
    person of a task, by its token, was on the bridge; None as long as they are not, and `NotReached` where it is said
    that they will not be. `take_back`: nobody waits for it any more. It is `real` where people have the tasks.
    """

    number: str = field(repr=False)
    give: Callable[[Task], None] = field(repr=False)
    joined: Callable[[str], Moment | None] = field(repr=False)
    take_back: Callable[[str], None] = field(default=_done, repr=False)
    real: bool = False
    name: str = "bridge"

    def send(self, message: Message, address: str) -> Receipt:
        made = token()
        who = f"{message.whom}, for the {message.instead_of}," if message.instead_of else message.whom
        does = f"{message.subject}\nCall the {who} at {address}, and bring them to the bridge: {self.number}"
        try:
            self.give(Task(made, message.whom, f"{does}\n\n{message.text}"))
        except OSError as error:
            raise NotSent(f"nobody can be asked to call: {error.strerror or error}") from None
        return Receipt(self.name, made)

    def acknowledged(self, receipt: Receipt) -> Moment | None:
        return self.joined(receipt.token)

    def withdraw(self, receipt: Receipt) -> None:
        self.take_back(receipt.token)


def simulated(number: str, url: str, *, own: Collection[str] = (), http: Http = DIRECT) -> Bridge:
    """One at which something of a stack stands in for people: it takes tasks at `<url>/tasks`. Errors: `Refused`."""
    must_stay_here(url, real=False, own=own)
    return Bridge(number, partial(_post, http, f"{url}/tasks"), AtPage(url, http).seen)


def _post(http: Http, url: str, task: Task) -> None:
    answer = http.ask("POST", url, within=PATIENCE, sends={"token": task.token, "text": task.does})
    if answer.status != 200:
        raise ConnectionError(f"HTTP {answer.status}")
