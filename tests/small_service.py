"""A small platform on loopback, over TLS, that can be made to misbehave, and knows what it really stored.

For the customers' own tests. It keeps its true times by its own monotonic clock.
"""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Mood = Literal[
    "store", "stall", "drip", "reset", "lose", "decline", "shrug", "proxy", "redirect", "garble", "once", "cut"
]
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close by RST


class SmallService:
    """Answers `POST /transactions` in a thread of its own, and truly what is asked by GET, but for the paths of
    `lies`: these it answers with that status and body. `mood` says how it stores:

    `store` properly; `stall`: store and never answer; `drip`: store and begin an answer that never ends; `reset`:
    store, then break the connection; `lose`: break it before anything is stored; `decline`: say that it is not stored;
    `shrug`: not know; `proxy`: the error page of something in between; `redirect`, `garble`: what they say;
    `once`: store, answer, and close the connection; `cut`: store, and close it in the middle of the answer.
    """

    def __init__(self, chain: Path, key: Path) -> None:
        self.mood: Mood = "store"
        self.stored: list[tuple[str, int]] = []
        self.heard: list[tuple[str, int]] = []  # every request that came in whole
        self.bodies: dict[int, dict[str, Any]] = {}
        self.kept: dict[tuple[str, int], dict[str, Any]] = {}  # what is stored, by its key
        self.moods: dict[int, Mood] = {}
        self.hosts: set[str] = set()
        self.lies: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []  # paths, in order
        self.on_heard: Callable[[int], None] = lambda number: None  # told before anything is answered
        self.connections = 0
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(chain, key)
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._listening: socket.socket | None = None
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(_only_unexpected)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self.back()

    def gone(self) -> int:
        """Stop listening, at once, and reset every connection. Returns the moment just before."""
        moment = time.monotonic_ns()
        if self._listening is not None:
            self._listening.shutdown(socket.SHUT_RDWR)  # from here on connections are refused
        self._do(self._end())
        return moment

    def back(self) -> int:
        """Listen, again on the same port. Returns the moment just before it listens."""
        return self._do(self._begin())

    def close(self) -> None:
        """End it; harmless when it is gone."""
        self.gone()
        self._do(_cancel_the_rest())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _begin(self) -> int:
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        moment = time.monotonic_ns()
        self._server = await asyncio.start_server(self._serve, sock=listening, ssl=self._tls, backlog=512)
        self._listening = listening
        return moment

    async def _end(self) -> None:
        if self._server:
            self._server.close()
            self._server = self._listening = None
        for writer in list(self._open):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open.add(writer)
        if self._server is None:  # its handshake ended after `gone`
            _reset(writer)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                method, path, _ = head[0].split(" ")
                text = await reader.readexactly(int(fields["content-length"]))
                self.hosts.add(fields["host"])
                if method == "GET":
                    await self._tell(writer, path)
                    continue
                body = json.loads(text)
                if not await self._answer(writer, body):
                    return
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            return
        finally:
            self._open.discard(writer)
            writer.close()

    async def _tell(self, writer: asyncio.StreamWriter, path: str) -> None:
        self.asked.append(path)
        status, said = self.lies.get(path) or self._truth(path)
        writer.write(f"HTTP/1.1 {status} So\r\ncontent-length: {len(said)}\r\n\r\n{said}".encode())
        await writer.drain()

    def _truth(self, path: str) -> tuple[int, str]:
        _, kind, *origin, number = path.split("/")
        if kind == "accounts":
            return 200, json.dumps({"id": int(number), "balance": "1.00"})
        kept = self.kept.get(("/".join(origin), int(number)))
        return (200, json.dumps({"found": True, **kept})) if kept else (404, '{"found": false}')

    async def _answer(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> bool:
        """Whether the connection lives on."""
        mood, key = self.mood, (str(body["origin"]), int(body["number"]))
        self.heard.append(key)
        self.on_heard(key[1])
        self.bodies[key[1]], self.moods[key[1]] = body, mood
        if mood == "lose":
            _reset(writer)
            return False
        if mood in ("store", "stall", "drip", "reset", "once", "cut"):
            self.stored.append(key)
            self.kept[key] = body
        if mood == "reset":
            _reset(writer)
            return False
        if mood == "stall":
            await asyncio.sleep(60)
        status, said, more = {
            "decline": ("409 Conflict", '{"stored": false}', ""),
            "shrug": ("500 Oh", '{"stored": null}', ""),
            "proxy": ("503 Service Unavailable", "no healthy upstream", ""),
            "redirect": ("307 Temporary Redirect", "", "location: /elsewhere\r\n"),
            "garble": ("200 OK", "<html>hello</html>", ""),
            "once": ("201 Created", '{"stored": true}', "connection: close\r\n"),
        }.get(mood, ("201 Created", '{"stored": true}', ""))
        length = len(said) + (1 if mood in ("drip", "cut") else 0)
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{more}\r\n{said}".encode())
        await writer.drain()
        if mood == "drip":
            await asyncio.sleep(60)
        return mood not in ("once", "cut")


async def _cancel_the_rest() -> None:
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in rest:
        task.cancel()
    await asyncio.gather(*rest, return_exceptions=True)


def _only_unexpected(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """A socket that is shut down while it listens is readable, and accepting from it is an error: as intended."""
    error = context.get("exception")
    if not (isinstance(error, OSError) and error.errno == errno.EINVAL):
        loop.default_exception_handler(context)


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None and sock.fileno() >= 0:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()
