"""What stands in for the services by which people are told: simulated, and called so wherever it matters.

    python -m harness.stacks.parts.receivers --folder FOLDER --slack ADDRESS:PORT --teams … --page …

Each behaves as the real one does: what it takes, how large, how often, and what it says otherwise. In FOLDER:

    control.json    how each behaves now, and who acknowledges after which time (`control.py`)
    index.jsonl     one line for each message that came in
    received/       the messages themselves, for people to look at

All of it has addresses of people, so none of it may come into a pack.
"""

SERVICES = ("slack", "teams", "pager", "e-mail", "page")  # `page`: where people acknowledge, and tasks are put
