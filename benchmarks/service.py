"""A service that is away for an exactly known time: `python -m benchmarks.service CERTIFICATE KEY`.

It says its port on a line, and then does what it is told on its standard input, a line each: `refuse SECONDS` or
`hold SECONDS`. It says when that began, and when it was over, in nanoseconds of the monotonic clock, on a line each.
Meanwhile whatever comes in is refused (503), or waits and is answered (201) as soon as it is over. All of it is one
thread: what is served after `gone` and before `back` is nothing.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from contextlib import suppress

ANSWER = "HTTP/1.1 {} {}\r\nContent-Length: 0\r\n\r\n"
STORED, REFUSED = ANSWER.format(201, "Created").encode(), ANSWER.format(503, "Away").encode()


class Service:
    def __init__(self) -> None:
        self.here = asyncio.Event()
        self.here.set()
        self.holds = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
                await reader.readexactly(int(fields[b"content-length"]))
                if self.holds:
                    await self.here.wait()
                writer.write(STORED if self.here.is_set() else REFUSED)
                await writer.drain()
        writer.close()

    async def away(self, seconds: float, *, holds: bool) -> None:
        self.holds = holds
        self.here.clear()
        gone = time.monotonic_ns()
        print(gone, flush=True)
        await asyncio.sleep(seconds)
        back = time.monotonic_ns()
        self.here.set()
        print(back, flush=True)


async def main(certificate: str, key: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    service = Service()
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, ssl=tls, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    loop = asyncio.get_running_loop()
    while order := await loop.run_in_executor(None, sys.stdin.readline):
        way, seconds = order.split()
        await service.away(float(seconds), holds=way == "hold")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
