"""Secrets, cardholder data and personal data do not reach a pack: masked on the way in, looked for before the seal.

What is masked: secrets that are known, passwords in addresses and settings, AWS keys, private keys, card numbers,
IBANs, and e-mail addresses (but for the names of those who act: an auditor must see who it was). The folders of
whoever drills are called by what they are in a run (`<run>`, `<project>`, `~`).

Only text is looked at, never a JSON number: a reading of the monotonic clock has 13 to 17 digits, and one in ten
passes the Luhn check. Visa's numbers of 13 digits are left out for the same reason; none has been issued for decades.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from harness.errors import Refused
from harness.system.masking import forms

SHORTEST_SECRET = 6
NAMES_OF_PEOPLE = frozenset({"operator", "by", "who", "attended", "role"})

# Lengths and first digits that issuers use: Visa 16/19, Mastercard 16, American Express 15, Discover 16..19,
# Diners 14, JCB 16, UnionPay 16..19.
_ISSUED = re.compile(
    r"4\d{15}(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}|3[47]\d{13}"
    r"|6(?:011|4[4-9]\d|5\d\d|2\d\d)\d{12,15}|3(?:0[0-5]|[689]\d)\d{11}|35(?:2[89]|[3-8]\d)\d{12}"
)
# A number that touches a letter, a digit or a decimal point is part of something else (a digest, an LSN, a WAL
# segment, a fraction). What stands before is looked at after the first digit: so the search can skip to digits.
_CARD = re.compile(r"[2-6](?<![0-9A-Za-z.].)\d{13,18}(?![0-9A-Za-z]|\.\d)")
_CARD_IN_GROUPS = re.compile(  # as printed on a card; not a part of a UUID, which goes on with a hyphen
    r"[2-6](?<![\w.-].)\d{3}([ -])(?:\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{6}\1\d{4,5})(?![\w-]|\.\d)"
)
_IBAN = re.compile(
    r"[A-Z](?<![0-9A-Za-z].)[A-Z]\d{2}( ?)[A-Z0-9]{4}(?:\1[A-Z0-9]{4}){1,6}(?:\1[A-Z0-9]{1,4})?(?![0-9A-Za-z])"
)
_IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
    "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20,
    "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SE": 24, "SI": 19, "SK": 24,
    "TR": 26, "UA": 29, "AE": 23, "SA": 24, "IL": 23, "BR": 29,
}  # fmt: skip  # a table
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_KEY_END = re.compile(r"-----END [A-Z ]*PRIVATE KEY-----")
_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/= \\\r\n"
_KEY_LONGEST = 4096
_AWS = re.compile(r"A(?<![0-9A-Za-z].)(?:KIA|SIA)[A-Z2-7]{16}(?![0-9A-Za-z])")
_AWS_SECRET = re.compile(r"(?i)(aws_?(?:secret_?access_?key|session_?token)[\"']?\s*[=:]\s*[\"']?)([^\s\"']{16,})")
_ADDRESS = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]{0,20}://[^\s:/@\"']*:)([^\s/\"']+)(?=@)")
_SETTING = re.compile(
    r"(?i)((?:password|passwd|pgpassword|sslpassword)\s*=\s*)"
    r"('(?:[^'\\]|\\.)*'|\"[^\"]*\"|\$\{[^{}]*\}(?![^\s'\",;&])|[^\s'\",;&]+)"
)
_BEARER = re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic)\s+)([A-Za-z0-9._~+/=-]{8,})")
_AFTER_A_MARK = (  # a word without which the slower pattern cannot match; the secret is its second group
    ("aws secret", "aws", _AWS_SECRET),
    ("password", "://", _ADDRESS),
    ("password", "pass", _SETTING),
    ("credential", "authorization", _BEARER),
)
_EMAIL = re.compile(r"(?:(?<![\w.+/:@-])|(?<=mailto:))[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}(?![\w@-])")
_SENSITIVE_NAME = re.compile(r"(?i)(?:^|_)(?:password|passwd|secret|secret_?key|secret_?access_?key|private_?key)$")
_MASKED = re.compile(r"\[redacted: [a-z -]+\]|\*+|x{3,}|\$\{?\w+\}?|\$\{[^{}]*\}|\{\w*\}|<[^>]*>|%\w*", re.IGNORECASE)


@dataclass(frozen=True)
class Hit:
    """Something that must not be in a pack: what it is and where in the text it lies."""

    what: str
    start: int
    end: int


class Redactor:
    """Masks what must not be kept. `secrets` are known values: they are masked wherever they stand.

    `places` are absolute paths and the words that stand for them (see `places`): said otherwise, and never a reason not
    to seal. `aliases` are names and addresses that somebody calls private, and what stands for each: said otherwise,
    too, and one that is left is a reason.
    Errors: `Refused` for a secret so short that masking it would blot out ordinary words.
    """

    PRIVATE: ClassVar = "private name"

    def __init__(
        self,
        secrets: Iterable[str] = (),
        *,
        places: Mapping[str, str] | None = None,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        known: set[str] = set()
        for secret in filter(None, secrets):
            if len(secret) < SHORTEST_SECRET:
                raise Refused(
                    f"a secret of {len(secret)} characters cannot be told from ordinary words",
                    hint=f"give the account a password of {SHORTEST_SECRET} characters or more",
                )
            known |= forms(secret)
        longest_first = sorted(known, key=lambda form: (-len(form), form))
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None
        self._places = {form: word for path, word in (places or {}).items() for form in (path, quote(path))}
        paths = sorted(self._places, key=lambda path: (-len(path), path))
        self._paths = re.compile("|".join(map(_as_path, paths))) if paths else None
        self.aliases = {name.lower(): alias for name, alias in (aliases or {}).items()}
        names = sorted(self.aliases, key=lambda name: (-len(name), name))
        self._private = re.compile("|".join(map(_as_name, names)), re.IGNORECASE) if names else None

    def hits(self, text: str, *, personal: bool = False) -> Iterator[Hit]:
        """What must not be kept; with `personal` e-mail addresses too (a plan may name its contacts)."""
        if self._known:
            yield from (Hit("known secret", *match.span()) for match in self._known.finditer(text))
        if self._private:
            yield from (Hit(self.PRIVATE, *match.span()) for match in self._private.finditer(text))
        yield from _keys(text)
        yield from (Hit("aws key", *match.span()) for match in _AWS.finditer(text))
        lower = text.lower()
        for what, mark, pattern in _AFTER_A_MARK:
            for match in pattern.finditer(text) if mark in lower else ():
                if not _MASKED.fullmatch(match[2].strip("'\"")):
                    yield Hit(what, *match.span(2))
        for pattern in (_CARD, _CARD_IN_GROUPS):
            yield from (Hit("card number", *match.span()) for match in pattern.finditer(text) if is_card(match[0]))
        yield from (Hit("iban", *match.span()) for match in _IBAN.finditer(text) if is_iban(match[0]))
        if personal and "@" in text:
            yield from (Hit("e-mail", *match.span()) for match in _EMAIL.finditer(text))

    def text(self, text: str, *, personal: bool = True) -> str:
        """The text, masked. What UTF-8 cannot carry is replaced by a question mark."""
        text = self.otherwise(text.encode(errors="replace").decode())
        for hit in _apart(self.hits(text, personal=personal)):
            text = f"{text[: hit.start]}[redacted: {hit.what}]{text[hit.end :]}"
        return text

    def otherwise(self, text: str) -> str:
        """The text with the words of the places, and the aliases, in their stead."""
        return self.aliased(self._paths.sub(lambda match: self._places[match[0]], text) if self._paths else text)

    def aliased(self, text: str) -> str:
        """The text with the aliases alone in the stead of private names."""
        return self._private.sub(lambda match: self.aliases[match[0].lower()], text) if self._private else text

    def mask(self, value: Any, *, name: str = "") -> Any:
        """The same JSON value with every string in it masked. `name` is the key it stands under."""
        if isinstance(value, str):
            if value and _SENSITIVE_NAME.search(name):
                return "[redacted: password]"
            return self.text(value, personal=name not in NAMES_OF_PEOPLE)
        if isinstance(value, dict):
            return {self._key(key): self.mask(item, name=str(key)) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask(item, name=name) for item in value]
        return value

    def _key(self, key: Any) -> Any:
        return self.text(key) if isinstance(key, str) else key


def is_card(text: str) -> bool:
    """Whether it is in an issuer's range and passes the Luhn check."""
    digits = re.sub("[ -]", "", text)
    if not _ISSUED.fullmatch(digits):
        return False
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    return (sum(int(digit) for digit in digits[::-2]) + sum(n - 9 if n > 9 else n for n in doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether country, length and check digits fit (ISO 13616: the whole, read in base 36, is 1 modulo 97)."""
    compact = text.replace(" ", "")
    if len(compact) != _IBAN_LENGTHS.get(compact[:2]):
        return False
    return int("".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])) % 97 == 1


def _as_path(path: str) -> str:
    """Whole names only. A place of one name, as `/rig`, is none where it is a part of another path."""
    before = r"(?<![\w./-])" if path.count("/") == 1 else ""
    return rf"{before}{re.escape(path)}(?!\w)"


def _as_name(name: str) -> str:
    """Whole names and addresses only, also as a part of a longer one: whose domain is private, their hosts are."""
    return rf"(?<![A-Za-z0-9-]){re.escape(name)}(?![A-Za-z0-9-])"


def _keys(text: str) -> Iterator[Hit]:
    end = 0
    for match in _KEY.finditer(text):
        end = match.end()
        yield Hit("private key", *match.span())
    for match in _KEY_END.finditer(text, 0 if end == 0 else end):  # its head was cut off
        body = text[max(end, match.start() - _KEY_LONGEST) : match.start()]
        yield Hit("private key", match.start() - len(body) + len(body.rstrip(_KEY_LETTERS)), match.end())


def _apart(hits: Iterable[Hit]) -> list[Hit]:
    """The hits, last first, overlapping ones as one."""
    apart: list[Hit] = []
    for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
        if apart and hit.start < apart[-1].end:
            last = apart[-1]
            apart[-1] = Hit(last.what, last.start, max(last.end, hit.end))
        else:
            apart.append(hit)
    return apart[::-1]
