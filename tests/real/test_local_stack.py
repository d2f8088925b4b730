"""What only the embedded stack promises: its levels. What every kind promises is in tests/contract."""

from __future__ import annotations

import subprocess
import sys

from tests.contract.held import held
from tests.real.refusing import refusing_argv


def test_where_namespaces_are_refused_it_serves_on_loopback_beside_another_and_says_what_it_cannot() -> None:
    """Where the kernel refuses user namespaces the level found is loopback; a cut is refused there, with the reason."""
    refusing = refusing_argv()
    find = "from harness.stacks.local.sandbox import best_level; print(best_level().name)"
    found = subprocess.run([*refusing, sys.executable, "-c", find], capture_output=True, text=True, check=False)
    assert found.stdout == "loopback\n", found.stderr
    with held("local", on="loopback", outer=refusing) as refused, held("local", on="loopback") as other:
        refused.play("serve")
        other.play("serve")
        refused.play("cut_refused")
        for scene in ("refused", "zone_endpoints"):
            refused.run("tests.contract.powers", scene, str(refused.folder))
        for scene in ("power", "fill"):  # they start servers: in the place where the stack is to find and stop them
            other.run("tests.contract.powers", scene, str(other.folder))
