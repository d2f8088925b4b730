"""Sentences that are true of any platform, each beside its step and its promise; a project's own join them.

What they promise is measured against the project's plan: times and tiers, and which demands a finding answers, come
from there. To list the drills all of these are imported: what only a run needs is imported where it is used, or for
types alone.
"""

from __future__ import annotations

from harness.features.sentences import Sentences
from harness.sentences import backups, books, cluster, failures, service

GENERIC = Sentences.joined(
    (service.SENTENCES, books.SENTENCES, failures.SENTENCES, cluster.SENTENCES, backups.SENTENCES)
)
