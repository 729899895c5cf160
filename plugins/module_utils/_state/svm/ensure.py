# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of SVMs: read, compare, plan, apply."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Optional

from ..._api import connect
from ..._errors import KsvlaError, TaskFailed
from ..._module.context import Context, Parameters, Result
from ..._tasks.journal import TaskJournal
from ..._tasks.poller import Poller, Waiting
from ..._tasks.sent import SentRequests
from ..._tasks.turns import Turns
from ..change import diff_of
from ..infrastructure.objects import Places
from .deploying import DeployingSvms
from .earlier import Earlier
from .plan import DEPLOY, NONE, RECONFIGURE, REMOVE, PlannedSvm, Planner, refuse_missing, refuse_repeated
from .results import DONE, FAILED, STARTED, UNCHANGED, Record, record
from .run import SvmRun
from .sent import SentSvms
from .settled import wait_until_listed
from .subjects import Subjects
from .wanted import doubtful_changes, wanted_svms

_ACTIONS = {"present": DEPLOY, "reconfigured": RECONFIGURE, "absent": REMOVE}
_MOST_NAMED = 10


def ensure_svms(parameters: Parameters, context: Context) -> Result:
    """Deploy, reconfigure or remove SVMs; return what became of each, and the server's tasks.

    :raises TaskFailed: when any SVM failed, naming which and why, and which did not.
    """
    wanted = wanted_svms(parameters)
    if parameters["state"] == "reconfigured":
        for warning in doubtful_changes(parameters):
            context.warn(warning)
    waiting = Waiting.from_parameters(parameters)
    api, settings = connect.svm_management(parameters, context)
    places = Places(api)
    planner = Planner(places, context)
    state = parameters["state"]
    action = _ACTIONS[state]
    poller = Poller(waiting, context)
    subjects = Subjects(action, parameters)
    earlier = Earlier(api, TaskJournal(settings.origin), context, action, subjects)
    sent = SentSvms(SentRequests(settings.origin), context, action, subjects, waiting.timeout)
    run = SvmRun(api, poller, context, earlier, sent, Turns(settings.origin), parameters, action)
    read_at = time.time()
    plan = [planner.plan(one, state) for one in wanted]
    refuse_repeated(plan)
    if action != DEPLOY:
        plan = DeployingSvms(api, poller, context, earlier, places, planner, action, state).settled(plan)
        refuse_repeated(plan)
        refuse_missing(plan)
    planned, attached = earlier.attachable(plan)
    everything = sorted([*planned, *(one for svms in attached.values() for one in svms)], key=lambda p: p.wanted.index)
    if context.check_mode:
        foretold = DONE if waiting.wait else dict.fromkeys(DONE, STARTED)
        outcomes = [record(one, foretold.get(one.action, UNCHANGED)) for one in everything]
        return _finish(everything, outcomes, run, context)
    try:
        run.carry_out(planned, attached, read_at)
    except KsvlaError as error:
        outcomes = _outcomes(everything, run)
        error.add_details(changed=_changed(outcomes), svms=outcomes, tasks=_tasks(run), remaining=[])
        raise
    if waiting.wait:
        wait_until_listed(api, poller, context, everything, _outcomes(everything, run))
    outcomes = _with_ids(places, everything, _outcomes(everything, run), context)
    result = _finish(everything, outcomes, run, context)
    _require_all(action, everything, result)
    return result


def _outcomes(everything: Sequence[PlannedSvm], run: SvmRun) -> list[Record]:
    """Return what became of each SVM; one that was planned and never came to be tried failed."""
    found = []
    for one in everything:
        outcome = run.outcomes.get(one.wanted.index)
        if outcome is None:
            outcome = record(one, UNCHANGED) if one.action == NONE else record(one, FAILED, error="it was not tried")
        found.append(outcome)
    return found


def _with_ids(
    places: Places, everything: Sequence[PlannedSvm], outcomes: list[Record], context: Context
) -> list[Record]:
    """Look up the id of SVMs that were deployed and whose task did not tell it; what was done is no failure without."""
    missing = [index for index, one in enumerate(outcomes) if one["action"] == DONE[DEPLOY] and not one["svm_id"]]
    if missing:
        places.forget_machines()
    trouble: dict[str, str] = {}
    for index in missing:
        planned = everything[index]
        try:
            machines = places.machines(planned.infrastructure_id, planned.location_id)
        except KsvlaError as error:
            trouble[planned.label] = error.message
            continue
        ids = [str(one["id"]) for one in machines if one.get("name") == planned.wanted.name and one.get("id")]
        outcomes[index]["svm_id"] = ids[0] if len(ids) == 1 else None
    if trouble:
        context.warn(f"The ids of {_enumerate(list(trouble))} could not be read: {next(iter(trouble.values()))}")
    return outcomes


def _finish(everything: Sequence[PlannedSvm], outcomes: list[Record], run: SvmRun, context: Context) -> Result:
    result: Result = {"changed": _changed(outcomes), "svms": outcomes, "tasks": _tasks(run), "remaining": []}
    if context.diff:
        before = {_key(one): _before(one) for one in everything if _before(one)}
        after = {_key(one): _after(one, outcome) for one, outcome in zip(everything, outcomes)}
        result["diff"] = diff_of("SVMs", before, {key: value for key, value in after.items() if value})
    return result


def _require_all(action: str, everything: Sequence[PlannedSvm], result: Result) -> None:
    failed = [one for one in result["svms"] if one["action"] == FAILED]
    if not failed:
        return
    reasons = [
        f"{one['name'] or one['svm_id']}{' at ' + one['failed_step'] if one['failed_step'] else ''}: {one['error']}"
        for one in failed
    ]
    done = [one["name"] or one["svm_id"] for one in result["svms"] if one["action"] == DONE[action]]
    verb = {DEPLOY: "deployed", RECONFIGURE: "reconfigured", REMOVE: "removed"}[action]
    others = f" {verb.capitalize()}: {_enumerate(done)}." if done else ""
    details = dict(result)
    tasks = [task for task in result["tasks"] if task["state"].lower() != "completed"] or result["tasks"]
    raise TaskFailed(
        f"{len(failed)} of {len(result['svms'])} SVMs could not be {verb}: {_enumerate(reasons, '; ')}.{others}",
        error_code=next((one["error_code"] for one in failed if one["error_code"]), None),
        task=tasks[0] if tasks else None,
        hint=_hint(action, everything, failed),
        details=details,
    )


def _hint(action: str, everything: Sequence[PlannedSvm], failed: Sequence[Record]) -> str:
    if action != RECONFIGURE:
        return "Once the causes are removed, run this again: it picks up only what is missing."
    hint = "Once the causes are removed, run this again for the SVMs that failed."
    names = {one["svm_id"] for one in failed}
    if any(one.wanted.new_klconfig_password and one.svm_id in names for one in everything):
        hint += " Where an earlier run has changed the password of klconfig already, klconfig_password is the new one."
    return hint


def _enumerate(texts: Sequence[str], separator: str = ", ") -> str:
    more = f"{separator}and {len(texts) - _MOST_NAMED} more" if len(texts) > _MOST_NAMED else ""
    return separator.join(text.rstrip(".") for text in texts[:_MOST_NAMED]) + more


def _changed(outcomes: Sequence[Record]) -> bool:
    return any(one["action"] in (*DONE.values(), STARTED) for one in outcomes)


def _tasks(run: SvmRun) -> list[dict[str, Any]]:
    return [task.as_dict() for task in run.tasks.values()]


def _key(planned: PlannedSvm) -> str:
    """Return how a diff names an SVM; names can repeat over places."""
    place = planned.wanted.location or planned.location_id
    return f"{planned.label} in {place}" if place else planned.label


def _before(planned: PlannedSvm) -> Optional[dict[str, Any]]:
    return {"state": "present"} if planned.action in (RECONFIGURE, REMOVE) or planned.svm_id else None


def _after(planned: PlannedSvm, outcome: Record) -> Optional[dict[str, Any]]:
    """Return an SVM as a diff shows it after what became of it; what the API does not return is shown when it is sent."""
    if outcome["action"] == FAILED:
        return _before(planned)
    if planned.action == REMOVE:
        return None
    if planned.action == NONE:
        return _before(planned)
    given = planned.wanted
    shown: dict[str, Any] = {"state": "present"}
    options: tuple[str, ...] = ("networks", "ksc", "dns", "allow_root_ssh")
    if planned.action == DEPLOY:
        options = (*options, "location", "storage", "flavor", "volume_type", "availability_zone", "server_group")
    for option in options:
        if getattr(given, option) is not None:
            shown[option] = _plain(getattr(given, option))
    changed = [name for name in ("root_password", "new_klconfig_password") if getattr(given, name)]
    if planned.action == RECONFIGURE and changed:
        shown["passwords"] = f"new: {', '.join(changed)}"
    return shown


def _plain(value: Any) -> Any:
    """Return an option without what was not given."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if item is not None}
    return [_plain(item) for item in value] if isinstance(value, list) else value
