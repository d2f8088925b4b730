"""The name server that stands for Route 53's: it answers what their API says, and checks health itself.

    python -m harness.stacks.parts.name_server --listen ADDRESS:PORT --folder FOLDER --zone NAME --api URL --ca FILE

In FOLDER:

    zone.json        the zone as it was read last: without the API it goes on with that, also after a start
    answers.jsonl    what changed, and what whom was answered (`log.py`)

It answers the records of a zone and failover records; no alias, no weights, no wildcards, no zone transfer, no DNSSEC.
"""
