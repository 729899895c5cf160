# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning around SVMs that an earlier run is still deploying: they are removed and reconfigured once they are there.

The server lists an SVM only at the end of its deployment. What is planned before would leave it alone, and it would appear
afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..._api.svm_management.calls import SvmManagementApi
from ..._errors import KsvlaError
from ..._module.context import Context
from ..._tasks.poller import Poller
from ..._tasks.watch import watch_task
from ..infrastructure.objects import Places
from .earlier import Earlier
from .plan import MISSING, NONE, PlannedSvm, Planner

_MOST_NAMED = 10


class DeployingSvms:
    """Brings a plan that removes or reconfigures SVMs up to what earlier runs deploy.

    :param action: ``reconfigure`` or ``remove``.
    :param state: The module's option.
    """

    def __init__(
        self,
        api: SvmManagementApi,
        poller: Poller,
        context: Context,
        earlier: Earlier,
        places: Places,
        planner: Planner,
        action: str,
        state: str,
    ) -> None:
        self._api = api
        self._poller = poller
        self._context = context
        self._earlier = earlier
        self._places = places
        self._planner = planner
        self._action = action
        self._state = state

    def settled(self, planned: Sequence[PlannedSvm]) -> list[PlannedSvm]:
        """Return the plan as it is once the deployments of its SVMs have ended; in check mode as it will be.

        :raises KsvlaError: when they are not to be waited for.
        :raises WaitTimeout: when the time is up before they have ended.
        """
        under_way = self._earlier.deployments(planned)
        if not under_way:
            return [self._found(one) for one in planned]
        waited_for = {one.wanted.index for svms in under_way.values() for one in svms}
        if self._context.check_mode:
            return [
                replace(one, action=self._action) if one.wanted.index in waited_for else self._found(one)
                for one in planned
            ]
        if not self._poller.waiting.wait:
            raise self._not_waited_for(under_way)
        for task_id, svms in under_way.items():
            label = svms[0].label if len(svms) == 1 else f"{len(svms)} SVMs"
            self._context.progress(label, "is still being deployed by an earlier run")
            self._earlier.note(watch_task(self._api, task_id, self._poller, label))
        self._places.forget_machines()
        return [self._found(self._planner.plan(one.wanted, self._state)) for one in planned]

    def _found(self, planned: PlannedSvm) -> PlannedSvm:
        """Return the plan for an SVM that was deployed, and that the server does not list yet."""
        if planned.action not in (NONE, MISSING):
            return planned
        svm_id = self._earlier.deployed_id(planned)
        return planned if svm_id is None else self._planner.plan(replace(planned.wanted, svm_id=svm_id), self._state)

    def _not_waited_for(self, under_way: dict[str, list[PlannedSvm]]) -> KsvlaError:
        labels = [one.label for svms in under_way.values() for one in svms]
        names = ", ".join(labels[:_MOST_NAMED]) + (", …" if len(labels) > _MOST_NAMED else "")
        verb = "reconfigured" if self._action == "reconfigure" else "removed"
        return KsvlaError(
            f"An earlier run is still deploying {names}, which cannot be {verb} before that is done. Nothing was sent.",
            task=self._earlier.seen(next(iter(under_way))).as_dict(),
            hint="Run this without wait: false, or again once the deployment is done.",
        )
