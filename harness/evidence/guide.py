"""VERIFY.md: how somebody who has never seen this software verifies the pack, in words and commands."""

from __future__ import annotations

from textwrap import fill
from typing import Any

from harness.evidence.verify import BY_HAND, LIMITS, NOT_JUDGED


def guide(predicate: dict[str, Any]) -> str:
    """The text, with this pack's own names."""
    journal = predicate["journal"]
    named = "what was signed, as in the seal" if "stream" in predicate else "its `pack.dsse.json`"
    limits = "".join(f"{fill(limit, 118, initial_indent='- ', subsequent_indent='  ')}\n" for limit in LIMITS)
    steps = "".join(
        f"## {n}. {what}\n\n{fill(why, 118)}\n\n```sh\n{do}\n```\n\n" for n, (what, why, do) in enumerate(BY_HAND, 1)
    )
    return f"""\
# How to verify this pack

This folder is the evidence of run `{predicate["run"]}`, number {predicate["number"]} in its series.
It was sealed on {predicate["sealedOn"]} with the key whose fingerprint is

    {predicate["keyid"]}

`openssl` (3.0 or later) and `sha256sum` are enough to verify it; no network is needed. With the software that made it,
`drdrill verify . --key FINGERPRINT` does the same; so does its file `harness/evidence/verify.py` alone, copied to any
machine with Python 3.11 and `cryptography`. Neither is in this folder: a verifier that comes with what it verifies
proves nothing.

## What is sealed

- `journal.jsonl` is everything that happened, one line a fact: {journal["lines"]} lines. Each line holds the SHA-256 of
  the line before it (`prev`, without the newline), so no line can be changed, added, taken out or moved without
  changing all after it. The last line has the digest `{journal["head"]}`.
- `SHA256SUMS` names the digest of every file here but itself and the seal.
- `pack.dsse.json` is the seal: a DSSE envelope over an in-toto statement, which names the digest of every file,
  `SHA256SUMS` among them, and the journal's length and last digest. It is signed with Ed25519.
- `public-key.pem` is the key that sealed. **A key that lies in the pack proves nothing.** Compare its fingerprint with
  one that you got by another way: without that, who sealed this pack is unknown, however well everything fits.
- The pack before this one: `{predicate["previousPack"]}` (SHA-256 of {named}; "none" for the first).
  Over a folder of packs it shows a pack that was taken out, put in or replaced.
- What this folder is called is not sealed; the run is the one that the journal's first line and the seal name.
- In a redacted copy some lines of the journal, or whole files (`NAME.withheld` in the place of `NAME`), are replaced by
  their digests. That takes no key, so whoever hands the copy on may have done it: what is shown is as it was sealed,
  and whether it is complete stays unknown.
- Others may have signed since (`signatures` in the seal). As what they did is not in the pack: who they are to you, you
  have to know.

## What this does not prove

{fill(NOT_JUDGED, 118)}

{limits}
# The commands

Run them in this folder, in any POSIX shell, all in the same one. Each problem is a line with `BAD`, what cannot be
checked one with `UNKNOWN`; the last three lines are the answers. Best type them from a source that is not this pack.
(`shasum -a 256` is the same as `sha256sum` where that is missing. Each takes about 4 ms for a line of the journal.)

They do not read JSON. That whoever sealed it wrote a key twice into a fact, or letters that are not UTF-8, is said by
the program alone.

{steps}"""
