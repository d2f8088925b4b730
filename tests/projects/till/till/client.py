"""How the till's customers pay, and how payments are read back from whoever leads its database."""

from __future__ import annotations

import json

from harness.workload.client import Acceptance, Message, StoredTransaction


class Payments:
    """Fills `harness.workload.client.Client`. What is read from is what an attached stack gives."""

    def draw(self, random):
        return {"cents": str(random.randint(1, 9999))}

    def amount(self, payload):
        return None

    def message(self, key, payload):
        return Message("/payments", json.dumps({"key": f"{key.origin}/{key.number}", **payload}).encode())

    def judge(self, status, body):
        return Acceptance(stored=True if status == 201 else False if 400 <= status < 500 else None)

    def rows(self, source, *, origin):
        found = source.execute("SELECT key, cents FROM payments WHERE key LIKE %s", (f"{origin}/%",)).fetchall()
        for number, cents in sorted((int(key.rpartition("/")[2]), cents) for key, cents in found):
            yield StoredTransaction(number, {"cents": cents})


CLIENT = Payments()
