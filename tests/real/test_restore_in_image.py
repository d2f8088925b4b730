"""By an image that has all of it: pgBackRest of PostgreSQL 18, where this machine has neither of that version.

The image is made here where it is not there; only root can make it.
"""

from __future__ import annotations

from pathlib import Path

from tests.real.first_verdict import comes_out_met
from tests.real.image_ground import repository
from tests.real.postgres_image import REPOSITORY

VERSION = 18


def test_from_nothing_to_a_verdict(tmp_path: Path) -> None:
    """All of it is MET, of a full and of an incremental backup, by an image that the stack file names."""
    with repository(VERSION) as made:
        project = comes_out_met("pgbackrest", ["--repository", made, "--image", f"{REPOSITORY}:${{version}}"], tmp_path)
    assert f'image: "{REPOSITORY}:${{version}}"' in (project / "stack.yaml").read_text().replace("'", '"')
