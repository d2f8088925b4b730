"""What the wheel holds; `make test-wheel` builds and tries it."""

from __future__ import annotations

import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

from drills import FEATURES
from harness import plan
from harness.cli.run import RunRequest
from harness.run import code
from tests.test_house import HOME, PYPROJECT, TRACKED, said

SETUPTOOLS: dict[str, Any] = PYPROJECT["tool"]["setuptools"]
PACKED = [path for path in TRACKED if said(path).startswith(("harness/", "reports/"))]


def test_every_file_of_the_machine_is_in_the_wheel() -> None:
    """Schemas, SQL, templates and recipes by name, and Python wherever its folder is a package."""
    data = [f"{package}/{name}" for package, names in SETUPTOOLS["package-data"].items() for name in names]
    others = [said(path) for path in PACKED if path.suffix != ".py"]
    assert others and [name for name in others if not any(fnmatch(name, pattern) for pattern in data)] == []
    assert [said(path) for path in PACKED if path.suffix == ".py" and not (path.parent / "__init__.py").is_file()] == []
    assert SETUPTOOLS["packages"]["find"]["include"] == ["harness*", "reports*"], "and no project"


def test_a_run_heeds_no_settings_of_where_somebody_stands(tmp_path: Path) -> None:
    """An environment may lie in a repository that has settings for pytest, and a conftest.py, of its own."""
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (tmp_path / "conftest.py").write_text("raise RuntimeError\n")
    words = RunRequest(project=HOME / "tests" / "projects" / "smallest", evidence=tmp_path).words("r1")
    env = {"PYTHONPATH": str(HOME), "PATH": "/usr/bin:/bin"}
    asked = [*words, "--collect-only"]
    done = subprocess.run(asked, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 test collected" in done.stdout, done.stdout + done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"pytest.ini", "conftest.py"}


def test_a_wheel_has_no_list_of_exact_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the first line says null, and its packages say which versions were there; in a clone it has the digest."""
    here = plan.load(HOME / "drills" / "plan.yaml", features=FEATURES)
    assert len(str(code.digests(here, FEATURES)["constraints"])) == 64
    monkeypatch.setattr(code, "ROOT", tmp_path)
    assert code.digests(here, FEATURES)["constraints"] is None
