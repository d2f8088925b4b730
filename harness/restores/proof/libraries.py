"""Whether the code of every extension, and of every function in C, is there to be called."""

from __future__ import annotations

from datetime import timedelta

import psycopg

from harness.restores import Look
from harness.restores.proof import MARK, Connect, asking, column, listed, why

EXTENSIONS = "SELECT extname FROM pg_extension ORDER BY 1"
LIBRARIES = """
SELECT DISTINCT probin FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
WHERE l.lanname = 'c' AND probin IS NOT NULL ORDER BY 1"""
WITHIN = timedelta(minutes=1)
PRELOADED = "shared_preload_libraries"  # such a library is there, and says that it was not loaded at the start


def libraries(connect: Connect, database: str, installed: set[str]) -> list[Look]:
    """Each is loaded into a session of its own, which it may end. Adds to `installed` what extensions there are."""
    name = f"extensions of {database}"
    try:
        with asking(connect, database, WITHIN) as connection:
            extensions = column(connection, EXTENSIONS)
            named = column(connection, LIBRARIES)
    except psycopg.Error as error:
        return [Look("structure", name, None, f"it could not be asked: {why(error)}", text=EXTENSIONS)]
    installed.update(extensions)
    missing = [f"{library} ({said})" for library in named if (said := _loaded(connect, database, library))]
    seen = f"cannot be loaded: {listed(missing)}" if missing else f"{listed(extensions)}; {len(named)} libraries load"
    return [Look("structure", name, not missing, seen, text=f"{EXTENSIONS};{LIBRARIES}; LOAD each",
                 expected="every library can be loaded", figure=float(len(named)))]  # fmt: skip  # arguments in groups


def _loaded(connect: Connect, database: str, library: str) -> str:
    quoted = library.replace("'", "''")
    try:
        with asking(connect, database, WITHIN) as connection:
            connection.execute(f"{MARK}LOAD '{quoted}'")
    except psycopg.Error as error:
        return "" if PRELOADED in str(error) else why(error)
    return ""
