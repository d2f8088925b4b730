"""The rules that judge, each version in one table: which checks there are by which name, and what is always asked.

A change in what `findings.json` says for the same records (an outcome, a figure, a bar, words, what is asked unasked)
is a new version. What it changes stays as it was in a folder named after the version before (`version5`), and the
older table names it there, so that packs of a year can be judged again as they were. A finding that only a new `expect`
or a new kind of line brings is no new version: no older pack asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.checks import RULES, Finding
from harness.checks.alerts import alert, detection
from harness.checks.announced import announced
from harness.checks.answer import Check
from harness.checks.automatic import automatic, told_all
from harness.checks.availability import availability
from harness.checks.confirmation import confirmation
from harness.checks.consistency import consistency
from harness.checks.damage import damage_found
from harness.checks.declared import declared, nobody
from harness.checks.effects import contradictory
from harness.checks.evidence import Evidence, Line, groundless
from harness.checks.exactness import exactness
from harness.checks.exposure import backup_frequency, exposure, exposure_beyond
from harness.checks.failback import region_follows, switchback_lossless
from harness.checks.fenced import region_fenced
from harness.checks.groups_told import initial, lasting_told, report, resolution, updates
from harness.checks.healing import self_recovery
from harness.checks.honest_health import honest_health
from harness.checks.ids import OLD_IDS
from harness.checks.leadership import failovers, rejoined
from harness.checks.loss import ledger_agreement, loss_seen, no_loss
from harness.checks.noticed import noticed
from harness.checks.one_leader import one_leader
from harness.checks.people_called import channel, roles_answered_for, roles_reached
from harness.checks.ready import back_in_rotation, exercised, honest_ready, rolled_back
from harness.checks.rebuilt import heap_proved
from harness.checks.regions import choice_weighed, replayed_all, replica_refused, response, second_region_activated
from harness.checks.replaced import copy_proved, server_rebuilt
from harness.checks.restored_backup import backup_age, backup_identity
from harness.checks.restored_looks import pages_sound, point_in_time, restore_complete, rows_proved, structure_sound
from harness.checks.restored_place import original_untouched, place_removed
from harness.checks.restored_time import recovery_time, restore_time
from harness.checks.root_cause import root_cause
from harness.checks.rpo import rpo
from harness.checks.rto import rto
from harness.checks.salvage import salvage
from harness.checks.sound_backup import sound_backup
from harness.checks.split_brain import split_brain, two_leaders
from harness.checks.stamps import impossible, records
from harness.checks.steps import (
    decision,
    early_stop,
    effective,
    heal,
    health,
    in_service,
    procedure,
    redundancy,
    scenario,
    steady_after,
    steady_before,
    verified,
)
from harness.checks.switched import each_resolver, names_switched, stale_resolvers
from harness.checks.version2 import alerts as alerts_2
from harness.checks.version2 import announced as announced_2
from harness.checks.version2 import automatic as automatic_2
from harness.checks.version2 import availability as availability_2
from harness.checks.version2 import exactness as exactness_2
from harness.checks.version2 import exposure as exposure_2
from harness.checks.version2 import healing as healing_2
from harness.checks.version2 import rto as rto_2
from harness.checks.version3 import alerts as alerts_3
from harness.checks.version3 import automatic as automatic_3
from harness.checks.version3 import consistency as consistency_3
from harness.checks.version3 import exactness as exactness_3
from harness.checks.version3 import healing as healing_3
from harness.checks.version3 import loss as loss_3
from harness.checks.version3 import rto as rto_3
from harness.checks.version3 import steps as steps_3
from harness.checks.version4 import sound_backup as sound_backup_4
from harness.checks.version4 import steps as steps_4
from harness.checks.version5 import exposure as exposure_5
from harness.checks.version5 import failback as failback_5
from harness.checks.version5 import fenced as fenced_5
from harness.checks.version5 import loss as loss_5
from harness.checks.version5 import rpo as rpo_5
from harness.checks.version5 import switched as switched_5
from harness.checks.version6 import loss as loss_6
from harness.checks.version7 import exposure as exposure_7
from harness.checks.version7 import groups_told as groups_told_7
from harness.checks.version7 import leadership as leadership_7
from harness.checks.version7 import steps as steps_7
from harness.checks.version7 import switched as switched_7
from harness.checks.well_told import marked, told_once
from harness.checks.wrong_answers import wrong_answers


@dataclass(frozen=True)
class Rules:
    """One version of the rules.

    `checks` has the checks by the names that `expect` lines use. `always` are asked of each scenario also unasked, and
    `beside` too, without counting for the verdict. `ground` says why nothing can be said of a scenario at all, and
    `announced` what became of the scenarios that the first line announces. `declared`: who has declared that a scenario
    cannot be run where it was not begun; empty where nobody has, and then its findings count.
    """

    version: str
    format: int  # of findings.json, and of the journals that it judges
    checks: Mapping[str, Check]
    always: tuple[str, ...]
    beside: tuple[str, ...]
    ground: Callable[[Evidence], str]
    announced: Callable[[Sequence[Line], Sequence[Evidence]], list[Finding]]
    declared: Callable[[Evidence], str] = nobody


VERSION_2 = Rules(
    version="2",
    format=1,
    checks={
        "rto": rto_2.rto,
        "loss": loss_5.loss,
        "exposure": exposure_5.exposure,
        "rpo": rpo_5.rpo(loss_5.loss, exposure_5.exposure),
        "exactness": exactness_2.exactness,
        "salvage": salvage,
        "ledger-agreement": loss_3.ledger_agreement,
        "consistency": consistency_3.consistency,
        "backup-frequency": exposure_2.backup_frequency,
        "damage-found": damage_found,
        "health": steps_7.health,
        "verified": steps_4.verified,
        "in-service": in_service,
        "redundancy": redundancy,
        "early-stop": early_stop,
        "availability": availability_2.availability,
        "automatic": automatic_2.automatic,
        "told-all": told_all,
        "decision": decision,
        "steady": steady_before,
        "steady-after": steps_3.steady_after,
        "bit": effective,
        "procedure": procedure,
        "heal": heal,
        "detection": alerts_2.detection,
        "alert": alerts_2.alert,
        "confirmation": confirmation,
        "root-cause": root_cause,
        "split-brain": split_brain,
        "no-loss": loss_5.no_loss,
        "honest-ready": honest_ready,
        "back-in-rotation": back_in_rotation,
        "rejoined": leadership_7.rejoined,
        "failovers": failovers,
        "self-recovery": healing_2.self_recovery,
        "rolled-back": rolled_back,
        "exercised": exercised,
        "scenario": scenario,
    },
    always=("scenario", "steady", "bit", "procedure", "ledger-agreement", "heal", "steady-after"),
    beside=("availability", "decision", "root-cause", "exercised"),
    ground=groundless,
    announced=announced_2.announced,
)

VERSION_3 = Rules(
    version="3",
    format=1,
    checks={
        **VERSION_2.checks,
        "rto": rto_3.rto,
        "loss": loss_5.loss_seen,
        "exposure": exposure_5.exposure_seen,
        "rpo": rpo_5.rpo(loss_5.loss_seen, exposure_5.exposure_seen),
        "exactness": exactness_3.exactness,
        "backup-frequency": exposure_5.backup_frequency,
        "availability": availability,
        "automatic": automatic_3.automatic,
        "detection": alerts_3.detection,
        "alert": alerts_3.alert,
        "self-recovery": healing_3.self_recovery,
        "records": records,
    },
    always=(*VERSION_2.always, "records"),
    beside=VERSION_2.beside,
    ground=lambda evidence: groundless(evidence) or impossible(evidence),
    announced=announced,
)

_RENAMED = {OLD_IDS.get(name, name): check for name, check in VERSION_3.checks.items()}

VERSION_4 = replace(
    VERSION_3,
    version="4",
    format=2,
    checks={
        **_RENAMED,
        "consistency": consistency,
        "ledger-agreement": ledger_agreement,
        "steady-after": steps_7.steady_after,
        "rto": rto,
        "exactness": exactness,
        "automatic": automatic,
        "detection": detection,
        "alert": alert,
        "self-recovery": self_recovery,
        "wrong-answers": wrong_answers,
        "heap-proved": heap_proved,
        "noticed": noticed,
        "sound-backup": sound_backup_4.sound_backup,
        "copy-proved": copy_proved,
        "server-rebuilt": server_rebuilt,
    },
    always=tuple(OLD_IDS.get(name, name) for name in VERSION_3.always),
    ground=lambda evidence: VERSION_3.ground(evidence) or contradictory(evidence),
)

VERSION_5 = replace(
    VERSION_4,
    version="5",
    checks={
        **VERSION_4.checks,
        "sound-backup": sound_backup,
        "verified": verified,
        "roles-reached": roles_reached,
        "roles-answered-for": roles_answered_for,
        "primary-channel": channel("primary"),
        "secondary-channel": channel("secondary"),
        "emergency-channel": channel("emergency"),
        "customers-told": initial,
        "customers-updated": updates,
        "customers-told-resolved": groups_told_7.resolution,
        "report-in-time": report,
        "marked-as-exercise": marked,
        "told-once": told_once,
        "lasting-told": lasting_told,
        "exposure-beyond": exposure_5.exposure_beyond,
        "rpo-beyond": rpo_5.rpo(loss_5.loss_seen, exposure_5.exposure_beyond),
        "two-leaders": two_leaders,
        "choice-weighed": choice_weighed,
        "stale-resolvers": stale_resolvers,
        "each-resolver": each_resolver,
        "replayed-all": replayed_all,
        "replica-refused": replica_refused,
        "region-fenced": fenced_5.region_fenced,
        "names-switched": switched_5.names_switched,
        "second-region-activated": second_region_activated,
        "response": response,
        "region-follows": region_follows,
        "switchback-lossless": failback_5.switchback_lossless,
    },
    always=(*VERSION_4.always, "lasting-told"),
)

VERSION_6 = replace(
    VERSION_5,
    version="6",
    declared=declared,
    checks={
        **VERSION_5.checks,
        "loss": loss_6.loss_seen,
        "no-loss": no_loss,
        "exposure": exposure_7.exposure,
        "backup-frequency": exposure_7.backup_frequency,
        "rpo": rpo(loss_6.loss_seen, exposure_7.exposure),
        "exposure-beyond": exposure_7.exposure_beyond,
        "rpo-beyond": rpo(loss_6.loss_seen, exposure_7.exposure_beyond),
        "region-fenced": region_fenced,
        "names-switched": switched_7.names_switched,
        "switchback-lossless": switchback_lossless,
    },
)

VERSION_7 = replace(
    VERSION_6,
    version="7",
    checks={
        **VERSION_6.checks,
        "loss": loss_seen,
        "rpo": rpo(loss_seen, exposure_7.exposure),
        "rpo-beyond": rpo(loss_seen, exposure_7.exposure_beyond),
        "one-leader": one_leader,
        "honest-health": honest_health,
    },
)

VERSION_8 = replace(
    VERSION_7,
    version="8",
    checks={
        **VERSION_7.checks,
        "exposure": exposure,
        "backup-frequency": backup_frequency,
        "rpo": rpo(loss_seen, exposure),
        "exposure-beyond": exposure_beyond,
        "rpo-beyond": rpo(loss_seen, exposure_beyond),
        "customers-told-resolved": resolution,
        "names-switched": names_switched,
        "steady-after": steady_after,
        "health": health,
        "rejoined": rejoined,
        "restore-time": restore_time,
        "backup-identity": backup_identity,
        "backup-age": backup_age,
        "restore-complete": restore_complete,
        "pages-sound": pages_sound,
        "structure-sound": structure_sound,
        "rows-proved": rows_proved,
        "point-in-time": point_in_time,
        "original-untouched": original_untouched,
        "place-removed": place_removed,
        "recovery-time": recovery_time,
    },
    beside=(*VERSION_7.beside, "recovery-time"),
)

ALL = (VERSION_2, VERSION_3, VERSION_4, VERSION_5, VERSION_6, VERSION_7, VERSION_8)
TABLE: Mapping[str, Rules] = {rules.version: rules for rules in ALL}
CURRENT = TABLE[RULES]
