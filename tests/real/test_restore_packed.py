"""A dump that is packed by a program is unpacked by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import DrillError
from tests import dumps
from tests.test_dump_load import COMMANDS, of


def test_zstd_is_unpacked_by_its_program(tmp_path: Path) -> None:
    """Python has no module for it; one that is cut short is told."""
    (tmp_path / "a.sql").write_bytes(dumps.script())
    COMMANDS.run(["zstd", "-q", tmp_path / "a.sql"])
    content = (tmp_path / "a.sql.zst").read_bytes()
    found = of(content, tmp_path, "a.sql.zst")
    assert (found.header.kind, found.path.name) == ("script", "a.sql.zst.unpacked")
    assert not (tmp_path / "a.sql.zst").exists()
    with pytest.raises(DrillError, match="zstd exited 1"):
        of(content[:-9], tmp_path, "a.sql.zst")
