"""All channels of a stack in which something stands in for every service: nothing leaves it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from harness.communications.channels import PATIENCE, AtPage, Channel, bridge
from harness.communications.channels.mail import Mail
from harness.communications.channels.slack import Slack
from harness.communications.channels.status_page import StatusPage
from harness.communications.channels.teams import Teams
from harness.communications.channels.webhook import Pager

SENDER = "drills@drdrill.invalid"  # a domain that there is not (RFC 2606)


def channels(
    urls: Mapping[str, str], *, status_page: Path, title: str, bridge_number: str, own: Collection[str] = (),
    within: timedelta = PATIENCE,
) -> dict[str, Channel]:  # fmt: skip  # parameters in groups
    """By their kind. `urls`: of `slack`, `teams`, `pager`, `e-mail` (`smtp://ADDRESS:PORT`) and `page`, where people
    acknowledge; `own`: addresses of the stack. `status_page`: the file that is written; `title`: of that page.

    Errors: `Refused` where a URL leads out of the stack.
    """
    page, mail = AtPage(urls["page"]), urlsplit(urls["e-mail"])
    return {
        "slack": Slack(urls["slack"], own=own, acknowledgements=page, within=within),
        "teams": Teams(urls["teams"], own=own, acknowledgements=page, within=within),
        "pager": Pager(urls["pager"], own=own, acknowledgements=page, within=within),
        "e-mail": Mail(mail.hostname or "", mail.port or 25, SENDER, own=own, acknowledgements=page, within=within),
        "bridge": bridge.simulated(bridge_number, urls["page"], own=own),
        "status page": StatusPage(status_page, title),
    }
