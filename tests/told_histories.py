"""A scenario in which people were told, made up for the tests of the checks: sound in every respect.

Five roles are called by Slack and answer; customers are told of the disruption, twice again, and of the resolution.
One real second is one minute of the incident.
"""

from __future__ import annotations

import hashlib
from typing import Any

from tests.histories import History, ns

ROLES = ("incident commander", "technical lead")
CHANNELS = (("primary", "slack"), ("secondary", "teams"), ("emergency", "bridge"))
GROUPS = {"customers": ["e-mail", "status page"]}
SAYS = {
    "initial": ["current_status", "estimated_resolution", "affected_services"],
    "resolution": ["resolution_time", "root_cause", "preventive_measures"],
}
RATIO = 60.0
HURT, CALLED, TOLD, RESTORED, RESOLVED, REPORTED, END = 10.0, 12.0, 15.0, 90.0, 92.0, 93.0, 100.0


def named(*words: object) -> str:
    """A digest, or what a service knows a message by."""
    return hashlib.sha256(repr(words).encode()).hexdigest()[:32]


class Told(History):
    """With the few verbs by which messages are written down."""

    def call(
        self, at: float, role: str, *, by: str = "slack", ok: bool | None = True, kept: bool = True, real: bool = False
    ) -> None:  # fmt: skip  # parameters in groups
        """One try of one channel to call a role; what came in by a real one nobody sees."""
        receipt = named(role, by, at) if ok is not False else ""
        self.say(
            at, "message.attempt", message=named(role), role=role, channel=by, real=real, attempt=1, ok=ok,
            status=200, seconds=0.1, retry_after=None, why="" if ok else "refused", receipt=receipt,
        )  # fmt: skip  # arguments in groups
        if ok and not real:
            self.came_in(at, by, receipt, kept=kept)

    def came_in(self, at: float, service: str, receipt: str, *, kept: bool = True, marked: bool = True) -> None:
        """As a service has it."""
        self.say(
            END - 1, "message.received", service=service, receipt=receipt, received=ns(at), kept=kept, marked=marked
        )

    def tell(self, at: float, what: str, whom: str, *, message: str = "", **more: Any) -> str:
        """The line of a message; returns what tries name it by."""
        about = message or named(what, whom, at)
        said = {
            "message": about, "digest": about, "what": what, "whom": whom, "instead_of": "", "template": f"{what}.txt",
            "fields": SAYS.get(what, []), "exercise": True, "marked": True, "urgency": "normal",
            "acknowledge": what == "call-out", "channels": [], "ratio": RATIO,
        }  # fmt: skip  # a table
        self.say(at, "message", **{**said, **more})
        return about

    def tell_customers(self, at: float, what: str, **more: Any) -> None:
        """By both of their channels, and it arrives."""
        about = self.tell(at, what, "customers", **more)
        for channel in GROUPS["customers"]:
            receipt = named(what, at) if channel == "e-mail" else ""
            self.say(
                at + 0.1, "message.attempt", message=about, role="customers", channel=channel, real=False, attempt=1,
                ok=True, status=250, seconds=0.1, retry_after=None, why="", receipt=receipt,
            )  # fmt: skip  # arguments in groups
            self.came_in(at + 0.1, channel, receipt)

    def answer(
        self, at: float, role: str, *, by: str = "", channel: str = "slack", attended: bool = False
    ) -> None:  # fmt: skip  # parameters in groups
        """The role, or whoever stood in; a person says so where people take part."""
        self.say(
            at, "message.acknowledged", message=named(role), role=role, by=by or role, channel=channel,
            attended=attended, after=at - CALLED, said_by="a page", ratio=RATIO,
        )  # fmt: skip  # arguments in groups


def all_told() -> Told:
    """Sound."""
    history = Told()
    history.say(0.0, "scenario.begin", scenario="the-scenario", title="T", tags=[], feature="f", category="")
    history.say(
        2.0, "communications.begin", roles=list(ROLES), channels=[{"use": use, "by": by} for use, by in CHANNELS],
        groups=GROUPS, acknowledge_within=300.0, update_every=1800.0, report_within=259200.0, ratio=RATIO,
        simulated=["slack"], real=[], attended=False,
    )  # fmt: skip  # arguments in groups
    history.say(HURT, "fault.intent", fault="kill_component", affects=[], harms_data=False, logical=False, ttl=900)
    history.say(HURT + 0.1, "fault.effective", fault="kill_component", ok=True, proof="it is dead")
    for role in ROLES:
        history.tell(CALLED, "call-out", role, message=named(role))
        history.call(CALLED + 0.1, role)
        history.answer(CALLED + 1.0, role)
    history.tell_customers(TOLD, "initial")
    for number in (1, 2):
        history.tell_customers(TOLD + number * 29.0, "update")
    history.say(RESTORED, "health", ok=True, checks=[{"name": "API", "ok": True}])
    history.tell_customers(RESOLVED, "resolution")
    history.tell_customers(REPORTED, "report")
    history.say(END, "scenario.end", scenario="the-scenario", outcome="completed", error="")
    return history


def made_real(history: Told, *channels: str) -> Told:
    """Of these services nobody sees what comes in."""
    for _, kind, data in history.lines:
        if kind == "message.attempt" and data["channel"] in channels:
            data["real"] = True
        if kind == "communications.begin":
            data.update(real=list(channels), simulated=[each for each in data["simulated"] if each not in channels])
    history.drop("message.received", where=lambda data: data["service"] in channels)
    return history
