# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of SVMs: read, compare, plan, apply."""

from __future__ import annotations

from collections.abc import Sequence

from ..._api import connect
from ..._errors import KsvlaError, TaskFailed
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller, Waiting
from .apply import PlanAgain, SvmApplier
from .find import Finder, Target
from .plan import RECONFIGURE, plan
from .requests import Requests
from .results import DONE, FAILED, UNCHANGED, Outcome, diff, reasons
from .wait import settled
from .wanted import wanted_svms


def ensure_svms(parameters: Parameters, context: Context) -> Result:
    """Deploy, reconfigure or remove SVMs; raise TaskFailed when any of them failed, naming which and why."""
    wanted = wanted_svms(parameters)
    poller = Poller(Waiting.from_parameters(parameters), context)
    server, settings = connect.svm_management(parameters, context)
    api = server.within(poller.deadline)
    requests = Requests(api, poller, context.memory(settings.origin), wanted)
    finder = Finder(api, wanted)
    while True:
        targets, situation = settled(finder, requests)
        for warning in (*wanted.warnings, *(text for one in targets for text in one.warnings)):
            requests.warn(warning)
        changes = plan(wanted.state, targets, situation.busy)
        changed = [one for change in changes if (one := change.after or change.before)]
        applier = SvmApplier(finder, requests)
        for earlier in situation.doubtful:
            applier.doubt(earlier)
        try:
            if context.check_mode:
                applier.predict(changed)
            else:
                applier.carry_out(changed)
            _require_all(targets, applier)
        except PlanAgain:
            continue
        except KsvlaError as error:
            # What is known of a task stands among the tasks.
            error.task = None
            error.add_details(**_result(targets, applier, context))
            raise
        return _result(targets, applier, context)


def _result(targets: Sequence[Target], applier: SvmApplier, context: Context) -> Result:
    outcomes = [applier.outcomes.get(one) or Outcome(one, UNCHANGED) for one in targets]
    result: Result = {
        "changed": any(one.changed for one in outcomes),
        "svms": [one.as_dict() for one in outcomes],
        # What failed stands with each SVM; ksvla_task_info shows the rest.
        "tasks": [{"id": task.id, "type": task.type, "state": task.state} for task in applier.tasks.values()],
        "remaining": [],
    }
    if context.diff:
        result["diff"] = diff(applier.action, outcomes)
    return result


def _require_all(targets: Sequence[Target], applier: SvmApplier) -> None:
    outcomes = [applier.outcomes[one] for one in targets if one in applier.outcomes]
    failed = [one for one in outcomes if one.action == FAILED]
    if not failed:
        return
    verb = DONE[applier.action]
    raise TaskFailed(
        f"{len(failed)} of {len(targets)} SVMs could not be {verb}: {reasons(failed, targets)}.",
        error_code=next((one.error_code for one in failed if one.error_code), None),
        hint=" ".join(applier.advice) or _hint(applier.action, failed),
    )


def _hint(action: str, failed: Sequence[Outcome]) -> str:
    if action != RECONFIGURE:
        return "Once the causes are removed, run this again: it picks up only what is missing."
    hint = "Once the causes are removed, run this again for the SVMs that failed."
    if any(one.target.wanted.new_klconfig_password for one in failed):
        hint += " If an earlier run has already changed the password of klconfig, klconfig_password is the new one."
    return hint
