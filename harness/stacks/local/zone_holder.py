"""A zone: the process that holds its network namespace. Standard library alone, by file, so that it costs 8 MB.

`zone_holder.py ADDRESS[,SECOND] NEIGHBOUR=HARDWARE...` waits for its link `eth0`, gives it the address (a /24) and the
second one, brings it up, notes the hardware addresses of its neighbours for good, says "ready", stays.
`zone_holder.py --claim ADDRESS PORT` (no namespaces) keeps a port bound, by which a run claims its addresses.
"""

from __future__ import annotations

import fcntl
import signal
import socket
import struct
import sys
import time

SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, SIOCSARP = 0x8913, 0x8914, 0x8916, 0x891C, 0x8955
ARPHRD_ETHER, ATF_COMPLETE, ATF_PERMANENT = 1, 0x02, 0x04
IFF_UP = 0x1
PATIENCE = 20.0  # seconds for the link to be plugged in


def _address(link: str, address: str) -> bytes:
    return struct.pack("16sHH4s8x", link.encode(), socket.AF_INET, 0, socket.inet_aton(address))


def _up(handle: socket.socket, link: str) -> None:
    (flags,) = struct.unpack("16xh14x", fcntl.ioctl(handle, SIOCGIFFLAGS, struct.pack("16sh14x", link.encode(), 0)))
    fcntl.ioctl(handle, SIOCSIFFLAGS, struct.pack("16sh14x", link.encode(), flags | IFF_UP))


def _neighbour(known: str) -> bytes:
    """A `struct arpreq` for `ADDRESS=HARDWARE`."""
    address, _, hardware = known.partition("=")
    return struct.pack(
        "HH4s8xH6s8xi16s16s",
        *(socket.AF_INET, 0, socket.inet_aton(address)),
        *(ARPHRD_ETHER, bytes.fromhex(hardware.replace(":", ""))),
        *(ATF_COMPLETE | ATF_PERMANENT, bytes(16), b"eth0"),
    )


def hold_zone(addresses: list[str], neighbours: list[str]) -> int:
    """Configure the zone's links; returns only on failure."""
    end = time.monotonic() + PATIENCE
    while "eth0" not in (name for _, name in socket.if_nameindex()):
        if time.monotonic() > end:
            print(f"no link within {PATIENCE:g} s", flush=True)
            return 1
        time.sleep(0.005)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        _up(handle, "lo")
        for number, address in enumerate(addresses):
            link = f"eth0:{number}" if number else "eth0"
            fcntl.ioctl(handle, SIOCSIFADDR, _address(link, address))
            fcntl.ioctl(handle, SIOCSIFNETMASK, _address(link, "255.255.255.255" if number else "255.255.255.0"))
        _up(handle, "eth0")
        for known in neighbours:
            fcntl.ioctl(handle, SIOCSARP, _neighbour(known))
    return _stay()


def claim(address: str, port: int) -> int:
    """Bind the port and keep it; exit 1 where it is taken."""
    try:
        with socket.create_server((address, port), reuse_port=False):
            return _stay()
    except OSError as error:
        print(f"{address}:{port}: {error.strerror}", flush=True)
        return 1


def _stay() -> int:
    print("ready", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    if sys.argv[1] == "--claim":
        sys.exit(claim(sys.argv[2], int(sys.argv[3])))
    sys.exit(hold_zone(sys.argv[1].split(","), sys.argv[2:]))
