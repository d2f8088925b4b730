"""How a secret may stand in a text: as it is, in an address, in JSON, in a header of HTTP's own."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote


def forms(secret: str) -> set[str]:
    """All of them."""
    encoded = secret.encode(errors="replace")
    return {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], b64encode(encoded).decode()}
