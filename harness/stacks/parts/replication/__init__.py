"""Copies a bucket to another region, version by version, as the replication of S3 does: simulated by this process.

    python -m harness.stacks.parts.replication --from URL BUCKET --to URL BUCKET --ca FILE --folder FOLDER

In FOLDER:

    done.jsonl     each version that was copied, with the id that its copy has: after a start it goes on from there
    state.json     how far it is (`copying.State`)

What a deletion hides is hidden in the copy, too. Versions that are destroyed at the source stay in the copy: whoever
destroys backups in one region has not destroyed them in the other. What is a copy itself is not copied back.
"""
