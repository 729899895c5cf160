# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking whether a request about SVMs took effect whose answer was lost. It is never sent again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._clock import Deadline
from ..._errors import KsvlaError, OutcomeUnknown
from ..._module.context import Context
from ..._tasks.poller import Look
from ..._tasks.sent import Mark
from .plan import DEPLOY, REMOVE, PlannedSvm
from .results import DONE, FAILED, STARTED, Record, record
from .sent import SentSvms, how_to_go_on

FIRST_SIGN_SECONDS = 600.0
"""After an answer was lost, how long it may take until the first of the SVMs shows that the request took effect."""
FIRST_SIGN_AFTER_ERROR_SECONDS = 60.0
"""The same, when the answer was not lost but an error of the server, which has most likely done nothing."""
_NOTHING_DONE = (500, 503)
"""The statuses that say so. A gateway that got no answer (502, 504) knows no more than nobody."""


class LostAnswer:
    """A request whose answer was lost, looked for by what it was to bring about.

    :param error: How it was lost, here or in an earlier run.
    :param settle: Takes what became of each SVM.
    :param sent: Where it is marked.
    :param mark: Its mark; None where there is none.
    """

    def __init__(
        self,
        api: SvmManagementApi,
        context: Context,
        action: str,
        group: Sequence[PlannedSvm],
        error: OutcomeUnknown,
        settle: Callable[[Record, PlannedSvm], None],
        sent: SentSvms,
        mark: Optional[Mark],
    ) -> None:
        self._api = api
        self._context = context
        self._action = action
        self._group = group
        self._settle = settle
        self._ids: dict[int, str] = {}
        self._places: dict[tuple[str, Optional[str]], list[PlannedSvm]] = {}
        for one in group:
            self._places.setdefault((one.infrastructure_id, one.location_id), []).append(one)
        self.error = error
        self._sent = sent
        self._mark = mark
        self._did_nothing = error.status in _NOTHING_DONE
        patience = FIRST_SIGN_SECONDS if mark is None else min(FIRST_SIGN_SECONDS, mark.remaining())
        if self._did_nothing:
            patience = FIRST_SIGN_AFTER_ERROR_SECONDS
            sent.shorten(mark, patience)
        self._first_sign_by = Deadline(patience)

    def look(self, deadline: Deadline) -> Look[Optional[KsvlaError]]:
        """Look once; it is done when everything has come about, or when nothing shows that anything ever will."""
        for (infrastructure_id, location_id), svms in self._places.items():
            machines = (
                self._api.within(deadline, retries=0)
                .objects(
                    infrastructure_id, object_types=("VM", "SVM"), output_type="GeneralInfo", parent_id=location_id
                )
                .vms
            )
            for one in svms:
                self._see(one, machines)
        signs = len(self._group) - len(self._ids) if self._action == REMOVE else len(self._ids)
        if signs == len(self._group):
            self._note_success()
            return Look(None, True)
        if not signs and self._first_sign_by.expired():
            if self._did_nothing:
                self._sent.remove(self._mark)
            return Look(self.give_up(), True)
        return Look(None, False)

    def _see(self, one: PlannedSvm, machines: Sequence[dict[str, Any]]) -> None:
        """Note whether an SVM is among the machines of its place."""
        before = self._ids.pop(one.wanted.index, None)
        for machine in machines:
            same = machine.get("id") == one.svm_id if one.svm_id else machine.get("name") == one.label
            if same:
                self._ids[one.wanted.index] = str(machine.get("id"))
        if self._action == DEPLOY and before is None and one.wanted.index in self._ids:
            self._sent.came_about([one])
        self._context.progress(one.label, "the answer was lost, looking whether it took effect")

    def give_up(self, _trouble: Optional[KsvlaError] = None) -> KsvlaError:
        """Note what was seen until now and return the failure."""
        self.error.hint = self._hint()
        for one in self._group:
            there = one.wanted.index in self._ids
            if self._action == REMOVE and self._looked and not there:
                self._settle(record(one, DONE[REMOVE]), one)
            elif self._action == DEPLOY and there:
                self._settle(record(one, STARTED, svm_id=self._ids[one.wanted.index]), one)
            else:
                self._settle(record(one, FAILED, error=self.error.message, error_code=self.error.error_code), one)
        return self.error

    def _hint(self) -> str:
        names = ", ".join(one.label for one in self._group)
        hint = (
            f"Whether the server does it is unknown, and it was not asked again. Look in the Integration Server's console "
            f"whether a task for {names} is under way or done, then run this again."
        )
        missing = (one for one in self._group if self._action == DEPLOY and one.wanted.index not in self._ids)
        mark = next(filter(None, map(self._sent.deployment_of, missing)), None)
        return hint if mark is None else f"{hint} {how_to_go_on(mark)}"

    @property
    def _looked(self) -> bool:
        """Whether any SVM was seen to be there, so that one that was not seen is gone."""
        return bool(self._ids)

    def _note_success(self) -> None:
        for one in self._group:
            self._settle(record(one, DONE[self._action], svm_id=self._ids.get(one.wanted.index) or one.svm_id), one)
        if self._action == DEPLOY:
            self._context.warn(
                "The server's answer was lost, so that its task is not known. "
                f"{', '.join(one.label for one in self._group)} can be seen in the infrastructure; "
                "whether the deployment is finished is not known."
            )
