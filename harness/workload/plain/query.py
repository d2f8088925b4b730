"""SQL of a project's file, with `${prefix}` in it: given to the database's driver as a parameter, as that wants it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.workload.plain.templates import PLACE

PREFIX = "prefix"  # what begins every key that is meant, as a pattern: `LIKE ${prefix}`
ANYTHING = "%"  # of such a pattern
OURS = f"${{{PREFIX}}}"
_ELSEWHERE = re.compile(r"%\(\w+\)s")  # as one driver of many has it
_STYLES = {"pyformat": f"%({PREFIX})s", "named": f":{PREFIX}", "format": "%s", "qmark": "?"}
_BY_NAME = ("pyformat", "named")
_PERCENT = ("pyformat", "format")  # in which a percent sign means something


@dataclass(frozen=True)
class Query:
    """One statement."""

    sql: str

    def run(self, source: Any, prefix: str) -> Any:
        """`source`: a connection to a database. Returns what its `execute` gives; errors: those of its driver."""
        module = sys.modules.get(type(source).__module__.partition(".")[0])
        style = str(getattr(module, "paramstyle", "pyformat"))
        style = style if style in _STYLES else "pyformat"
        many = self.sql.count(OURS)
        if not many:
            return source.execute(self.sql)
        text = self.sql.replace("%", "%%") if style in _PERCENT else self.sql
        given: Any = {PREFIX: prefix} if style in _BY_NAME else [prefix] * many
        return source.execute(text.replace(OURS, _STYLES[style]), given)

    def rows(self, source: Any, prefix: str) -> Iterator[Mapping[str, Any]]:
        """Each by the names of its columns."""
        found = self.run(source, prefix)
        names = [column[0] for column in found.description or ()]
        for row in found:
            yield row if isinstance(row, Mapping) else dict(zip(names, row, strict=True))


def wrong_with(sql: str, *, must: bool) -> tuple[str, str] | None:
    """What is wrong with it, and what to do; None where nothing is. `must`: it has to say `${prefix}`."""
    unknown = [name for name in PLACE.findall(sql) if name != PREFIX]
    if unknown:
        return f"${{{unknown[0]}}} is not known here", f"SQL has {OURS} alone: what all keys begin with, for LIKE"
    if "${" in PLACE.sub("", sql):
        return "has a ${ without its end", f"write {OURS}"
    if found := _ELSEWHERE.search(sql):
        return f"has {found[0]}, which one driver alone understands", f"write {OURS}"
    if re.search(rf"['%]\s*{re.escape(OURS)}|{re.escape(OURS)}\s*['%]", sql):
        return f"has {OURS} in quotes, or with a %", f"it is a parameter, and ends in % already: write LIKE {OURS}"
    if must and OURS not in sql:
        return f"has no {OURS}, and would be about what others wrote, too", f"bound it: WHERE … LIKE {OURS}"
    return None
