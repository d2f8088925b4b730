"""The service: `python service.py PORT FILE KEEPS`. It answers 200 once a note is on the disk.

KEEPS is `all`; for sabotage `late` (a note is on the disk up to two seconds after it was acknowledged), `first` (fifty
notes of everybody) or `nothing`.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TABLE = "CREATE TABLE IF NOT EXISTS notes (origin TEXT, number INTEGER, note TEXT, PRIMARY KEY (origin, number))"
MOST = {"first": 50, "nothing": 0}  # of these it keeps notes up to that number
OFTEN, LATE = 0.01, 2.0  # seconds between two commits: one is for all that came in before it


class Notes:
    """What it keeps. What is sent twice is kept once."""

    def __init__(self, file: str, keeps: str) -> None:
        self._keeps = keeps
        self._lock = threading.Lock()
        self._committed = threading.Event()
        self._file = sqlite3.connect(file, check_same_thread=False)
        self._file.execute(TABLE)
        threading.Thread(target=self._commit, daemon=True).start()

    def take(self, origin: str, number: int, note: str) -> None:
        with self._lock:
            if number <= MOST.get(self._keeps, number):
                self._file.execute("INSERT OR IGNORE INTO notes VALUES (?, ?, ?)", (origin, number, note))
            committed = self._committed
        if self._keeps != "late":
            committed.wait()

    def find(self, origin: str, number: int) -> str | None:
        with self._lock:
            found = self._file.execute("SELECT note FROM notes WHERE (origin, number) = (?, ?)", (origin, number))
            return next((note for (note,) in found), None)

    def _commit(self) -> None:
        while True:
            time.sleep(LATE if self._keeps == "late" else OFTEN)
            with self._lock:
                self._file.commit()
                committed, self._committed = self._committed, threading.Event()
            committed.set()


class Handler(BaseHTTPRequestHandler):
    """One connection; it is kept open, as customers like it."""

    protocol_version = "HTTP/1.1"
    notes: Notes

    def do_GET(self) -> None:
        if not self.path.startswith("/notes/"):
            self._say(200 if self.path == "/health" else 404)
            return
        origin, _, number = self.path.removeprefix("/notes/").rpartition("/")
        note = self.notes.find(origin, int(number))
        self._say(404 if note is None else 200, json.dumps({"note": note}))

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.notes.take(said["origin"], said["number"], said["note"])
        self._say(200)

    def _say(self, status: int, content: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content.encode())

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing: customers keep their own records."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    port, file, keeps = sys.argv[1:]
    Handler.notes = Notes(file, keeps)
    Server(("127.0.0.1", int(port)), Handler).serve_forever()
