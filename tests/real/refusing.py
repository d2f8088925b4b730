"""A place where user namespaces are refused, as in a default `docker run`, made without touching the machine.

`python refusing.py COMMAND...` becomes the command, in a user namespace whose own limit of further ones is zero; root
keeps there what Docker leaves to root.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
IDS = 100_000  # uids of the namespace, where we are root
DOCKER = (
    "chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,"
    "audit_write,setfcap"
)


def refusing_argv() -> list[str]:
    """The words to put before a command."""
    return [sys.executable, str(Path(__file__).resolve())]


def _map(pid: int) -> None:
    """Root maps all ids, anybody else his own."""
    user, group = os.geteuid(), os.getegid()
    if user != 0:
        Path(f"/proc/{pid}/setgroups").write_text("deny")
    Path(f"/proc/{pid}/uid_map").write_text(f"{user} {user} {IDS if user == 0 else 1}")
    Path(f"/proc/{pid}/gid_map").write_text(f"{group} {group} {IDS if user == 0 else 1}")


def main(argv: list[str]) -> None:
    parent = os.getpid()
    there, told = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.read(there, 1)
        _map(parent)
        os._exit(0)
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    os.write(told, b"1")
    if os.waitpid(helper, 0)[1] != 0:
        raise RuntimeError("the ids of the namespace could not be mapped")
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    if os.geteuid() == 0:
        kept = ",".join(f"+{name}" for name in DOCKER.split(","))
        argv = ["setpriv", f"--bounding-set=-all,{kept}", "--inh-caps=-all", "--", *argv]
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main(sys.argv[1:])
