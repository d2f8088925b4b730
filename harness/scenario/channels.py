"""By which channels a scenario tells people: what stands in for a service, what is real, people at the terminal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from harness.communications.channels import PATIENCE, Channel, simulated
from harness.communications.contacts import Contacts
from harness.communications.pace import Pace
from harness.errors import NotReady, Refused
from harness.plan import Communication
from harness.run.run import Run
from harness.run.tasks import Tasks
from harness.stacks.capabilities import find
from harness.stacks.capabilities.messaging import Interruptible, Messaged
from harness.stacks.real import kept_out, real_channels

SHORTEST = timedelta(seconds=0.5)  # for an answer


def channels_of(
    run: Run, contacts: Contacts, *, tasks: Tasks | None, answers: Mapping[str, timedelta | None], pace: Pace
) -> dict[str, Channel]:
    """By their kind. `tasks`: of the people of an attended run, whose the bridge is. `answers`: after which time people
    are stood in for, by their addresses.

    Errors: `Refused` where it would not be right to begin, `NotReady` where the services of the stack are not there.
    """
    number = _bridge_number(run.plan.communication, contacts)
    real = {**({"bridge": tasks.bridge(number)} if tasks else {}), **real_channels(run.stack)}
    if run.options.sabotage.telling and real:
        what = f"{', '.join(real)} is real here, and a sabotage that tells people wrongly would reach them"
        raise Refused(what, hint="sabotage it where something stands in for every service, and unattended")
    stack = find(run.stack, Messaged)
    if stack is None:
        _must_all_be_there(run.plan.communication, real)
        return real
    services = find(run.stack, Interruptible)
    if services and (seen := services.service_is("page")) != "up":
        raise NotReady(f"what stands in for the services of the stack is {seen}", hint="read its log in the pack")
    stack.people_answer(answers, otherwise=None)
    stack.status_page.unlink(missing_ok=True)  # of an earlier scenario
    stands_in = simulated.channels(
        stack.services(), status_page=stack.status_page, title=f"{run.project.name}: status", bridge_number=number,
        own=stack.own, within=patience(run.plan.communication, pace),
    )  # fmt: skip  # arguments in groups
    return {**stands_in, **real}


def secrets_of(run: Run) -> list[str]:
    """What of them is recorded nowhere: addresses of services, and what the stack keeps private."""
    stack = find(run.stack, Messaged)
    return [*kept_out(run.stack), *(stack.services().values() if stack else ())]


def patience(planned: Communication, pace: Pace) -> timedelta:
    """For one answer of a service: half of what the plan waits until it uses the next channel, where that is less."""
    waits = [pace.real(each.next_after) / 2 for each in planned.channels if each.next_after]
    return max(SHORTEST, min([PATIENCE, *waits]))


def _bridge_number(planned: Communication, contacts: Contacts) -> str:
    bridges = [contacts.whom(each.name.lower()) for each in planned.channels if each.by == "bridge"]
    return next((each.address("bridge") for each in bridges if each), "of which the contacts have no number")


def _must_all_be_there(planned: Communication, real: Collection[str]) -> None:
    """Errors: `Refused` where nothing stands in for services, and the plan tells people by what is not real."""
    named = [each.by for each in planned.channels] + [by for each in planned.groups.values() for by in each]
    if lacking := sorted(set(named) - set(real)):
        raise Refused(
            f"the plan tells people by {', '.join(lacking)}: on this stack that is neither real nor simulated",
            hint="its `real_channels` has to name all of them, or it takes `Messaged`; docs/add-a-stack.md",
        )
