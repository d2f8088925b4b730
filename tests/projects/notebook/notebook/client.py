"""How its customers write notes, and how these are read back: from its file."""

from __future__ import annotations

import json

from harness.workload.client import Acceptance, Message, Question, StoredTransaction


class Notes:
    """Fills `harness.workload.client.Client` and `AskingClient`.

    What is read from is a connection to the file (`Notebook.reading`).
    """

    def draw(self, random):
        return {"note": f"note {random.randint(1, 9999)}"}

    def amount(self, payload):
        return None

    def message(self, key, payload):
        return Message("/notes", json.dumps({"origin": key.origin, "number": key.number, **payload}).encode())

    def judge(self, status, body):
        return Acceptance(stored=True if status == 200 else None)

    def question(self, random, own):
        if own is None:
            return None
        message = Message(f"/notes/{own.key.origin}/{own.key.number}", b"", method="GET")
        return Question(f"note {own.key.number}", own.payload, message)

    def told(self, question, status, body):
        try:
            return {"note": json.loads(body)["note"]}
        except (ValueError, KeyError, TypeError):
            return None

    def rows(self, source, *, origin):
        for number, note in source.execute(
            "SELECT number, note FROM notes WHERE origin = ? ORDER BY number", (origin,)
        ):
            yield StoredTransaction(number, {"note": note})


CLIENT = Notes()
