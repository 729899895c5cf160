# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: every task of a suite runs four times, in check mode, for real, in check mode again, and for real again.

A suite is a file of tasks (``suites/*.yml``). Tasks of other modules run once, where they stand. Tags of a task say what
is expected of it:

``changes``      changes something the first time (without it: never), and nothing when it is repeated
``fails``        fails all four times, in the same way
``reads``        sends nothing that changes anything
``tries``        sends something that the server refuses whenever it runs, for a reason that check mode does not look for
``always``       changes something every time: the server shows nothing to compare with (a reconfigured SVM), or it takes
             several runs that do not wait
``verifies``     asks the server, whenever it runs, to verify an image; this changes nothing
``assumed``      fails, as something is not there; check mode takes it for made by an earlier task, and warns
``open``         its outcome cannot be predicted: check mode says "changed" where it may change something (a new report)
``setup``        is none of this: it runs once, for real, and is only compared between the two places to run
"""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from integration.support.masks import Mask, user_part
from integration.support.playbooks import COLLECTION, Json, Run, TaskRecord

_SUITES = Path(__file__).resolve().parent.parent / "suites"
_PREDICTED = (
    "tenant",
    "vms",
    "certificate",
    "infrastructure",
    "image",
    "svms",
    "locations",
    "object",
    "untrusted",
    "counts",
    "results",
    "msg",
    "error_code",
    "hint",
    "task",
    "warnings",
    "remaining",
    "tasks",
    "not_tried",
    "dest",
    "report_id",
    "size_bytes",
    "checksum_sha256",
    "summary",
    "periods",
    "diff",
)
_ONLY_AFTERWARDS = {
    "infrastructure": {"name", "version", "message", "services"},
    "image": {"svm_version", "size", "vendor_info"},
    "svms": {"svm_id", "state"},
}
"""What cannot be known of something before it is made, by the key of the result."""
_OF_CHANGES = frozenset({"tasks"})
"""What comes of a change itself, so that only a run without one can be predicted."""
_VERIFICATION = re.compile(r"PUT \S+/images/[^/]+/validate")
_PHASES = ("predict", "apply", "predict again", "repeat")


def expanded(suite: str, *, short: bool = False) -> list[Json]:
    """Return the tasks of a suite, each of this collection's modules four times.

    :param short: Leave out what says the same again: the second prediction, and the repetition of what only reads.
    """
    tasks = yaml.safe_load((_SUITES / f"{suite}.yml").read_text(encoding="utf-8"))
    found: list[Json] = []
    for number, task in enumerate(tasks):
        if "setup" in task.get("tags", ()) or not any(key.startswith(COLLECTION) for key in task):
            found.append(task)
            continue
        for phase in _phases(task.get("tags", ()), short=short):
            change: Json = {"name": f"{number:02} {task['name']} / {phase}", "diff": True}
            change["check_mode"] = phase.startswith("predict")
            if {"fails", "assumed"} & set(task.get("tags", ())):
                change["ignore_errors"] = True
            found.append({**task, **change})
    return found


def _phases(tags: Collection[str], *, short: bool) -> tuple[str, ...]:
    if not short:
        return _PHASES
    return ("predict", "apply") if "reads" in tags else ("predict", "apply", "repeat")


def check_matrix(run: Run, mask: Mask, *, short: bool = False) -> None:
    """Hold a run of an expanded suite against what its tags expect, and every prediction against what then happened."""
    by_task: dict[str, dict[str, TaskRecord]] = {}
    for record in run.of_collection():
        if "setup" in record.tags:
            continue
        name, _slash, phase = record.name.rpartition(" / ")
        by_task.setdefault(name, {})[phase] = record
    assert by_task
    for name, phases in by_task.items():
        _check_task(name, phases, mask, short=short)


def _check_task(name: str, phases: dict[str, TaskRecord], mask: Mask, *, short: bool) -> None:
    tags = phases["apply"].tags
    assert set(phases) == set(_phases(tags, short=short)), f"{name}: it did not run to its end"
    if "assumed" in tags:
        _check_assumed(name, phases)
        return
    for phase, record in phases.items():
        unforeseen = "tries" in tags and phase.startswith("predict")
        assert record.failed == ("fails" in tags and not unforeseen), (
            f"{name} / {phase}: {record.status}: {record.result}"
        )
        if phase.startswith("predict") or "reads" in tags:
            assert record.writes == [], f"{name} / {phase}: it writes"
    assert phases["apply"].changed == ("changes" in tags or "always" in tags), f"{name}: {phases['apply'].result}"
    if phases["apply"].changed and "reads" not in tags:
        assert _writes(phases["apply"]), f"{name}: changed, and nothing was sent"
    if "tries" in tags:
        assert phases["predict"].changed, f"{name} / predict: {phases['predict'].result}"
    elif "open" in tags:
        for phase in [each for each in phases if each.startswith("predict")]:
            assert phases[phase].changed == ("changes" in tags), f"{name} / {phase}: {phases[phase].result}"
    else:
        makes = phases["apply"].changed
        _same(f"{name}, predicted and then applied", phases["predict"], phases["apply"], mask, makes=makes)
    if "repeat" in phases:
        _check_repetition(name, phases, mask, short=short)


def _check_assumed(name: str, phases: dict[str, TaskRecord]) -> None:
    for phase, record in phases.items():
        predicted = phase.startswith("predict")
        assert record.failed != predicted, f"{name} / {phase}: {record.status}: {record.result}"
        assert record.changed == predicted, f"{name} / {phase}: {record.result}"
        assert bool(record.result.get("warnings")) == predicted, f"{name} / {phase}: {record.result}"
        assert record.writes == [], f"{name} / {phase}: it writes"


def _check_repetition(name: str, phases: dict[str, TaskRecord], mask: Mask, *, short: bool) -> None:
    tags, repeated = phases["repeat"].tags, phases["repeat"]
    if "always" in tags:
        assert repeated.changed, f"{name}: unchanged when repeated: {repeated.result}"
        assert _writes(repeated), f"{name}: changed when repeated, and nothing was sent"
    else:
        assert not repeated.changed, f"{name}: changed again when repeated: {repeated.result}"
    if "open" in tags:
        return
    if "tries" in tags:
        return
    if "always" not in tags:
        assert _writes(repeated) == [], f"{name}: writes again when repeated"
    if not short:
        makes = repeated.changed
        _same(f"{name}, predicted and then repeated", phases["predict again"], repeated, mask, makes=makes)


def _writes(record: TaskRecord) -> list[str]:
    """Return what was sent that changes something; of a task that verifies, without its verifications."""
    if "verifies" not in record.tags:
        return record.writes
    return [line for line in record.writes if not _VERIFICATION.fullmatch(line)]


def _same(what: str, predicted: TaskRecord, happened: TaskRecord, mask: Mask, *, makes: bool) -> None:
    first, second = (_predictable(record, mask, makes=makes) for record in (predicted, happened))
    assert first == second, f"{what}: the prediction is wrong:\n{first}\n{second}"


def _predictable(record: TaskRecord, mask: Mask, *, makes: bool) -> Any:
    """Return the part of a result that check mode has to know.

    :param makes: Something may be made, of which the server alone says some things.
    """
    result = {key: value for key, value in record.result.items() if key in (*_PREDICTED, "changed")}
    task = result.pop("task", None)
    if isinstance(task, dict) and "verifies" not in record.tags:
        result["task"] = {key: task[key] for key in ("id", "type", "state")}
    if makes:
        kept = {key: value for key, value in result.items() if key not in _OF_CHANGES}
        result = {key: _without(value, _ONLY_AFTERWARDS.get(key, ())) for key, value in kept.items()}
    return user_part(mask(result))


def _without(value: Any, names: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    if isinstance(value, list):
        return [_without(item, names) for item in value]
    return value
