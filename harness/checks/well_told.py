"""What holds for every message: it says that it is an exercise, and nobody gets it twice by one channel."""

from __future__ import annotations

from collections import Counter

from harness.checks import Finding
from harness.checks.evidence import Evidence, Expectation, Unsound
from harness.checks.messages import NOBODY_ASKED, TAKEN, Messages, right_or_wrong

MARKED = "Every message says that it is an exercise"
ONCE = "Nobody was told the same twice by one channel"


def marked(evidence: Evidence, expected: Expectation) -> Finding:
    """As it was sent, and as it came in: two witnesses; of real services only the first."""
    Messages.of(evidence)
    sent = [line for line in evidence.all("message") if line.data["exercise"]]
    came_in = evidence.all("message.received")
    if not sent:
        raise Unsound("nobody was told anything")
    taken = [line.data["real"] for line in evidence.all("message.attempt") if line.data["ok"]]
    if not came_in and not (taken and all(taken)):
        raise Unsound(NOBODY_ASKED)
    wrong = [f"to {line.data['whom']}: {line.data['what']}" for line in sent if not line.data["marked"]]
    wrong += [f"as it came in by {line.data['service']}" for line in came_in if not line.data["marked"]]
    said = [f"without a word that it is an exercise: {', '.join(dict.fromkeys(wrong))}"] if wrong else []
    ends = [f"{len(came_in)} as they came in"] if came_in else []
    ends += [f"{sum(taken)} {TAKEN}, where nobody sees them come in"] if any(taken) else []
    words = f"{len(sent)} messages as they were sent, and {'; '.join(ends)}"
    return right_or_wrong(evidence, expected, MARKED, said, words)


def told_once(evidence: Evidence, expected: Expectation) -> Finding:
    """What a service took, or may have taken, is not sent to it again."""
    Messages.of(evidence)
    taken = [line.data for line in evidence.all("message.attempt") if line.data["ok"] is not False]
    if not taken:
        raise Unsound("no service took anything")
    if not evidence.all("message.received") and not all(each["real"] for each in taken):
        raise Unsound(NOBODY_ASKED)
    times = Counter((each["message"], each["role"], each["channel"]) for each in taken)
    wrong = [f"{role} {many} times by {channel}" for (_, role, channel), many in times.items() if many > 1]
    return right_or_wrong(evidence, expected, ONCE, wrong, f"{len(taken)} messages were taken, each once")
