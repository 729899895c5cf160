# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server's lists show of SVMs, and requests whose answer was lost, which can be seen there alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Callable, Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._clock import Deadline
from ..._errors import ApiError, KsvlaError, OutcomeUnknown
from ..._tasks.poller import Look, Poller
from ..infrastructure.objects import Object
from .find import Target
from .plan import DEPLOY, RECONFIGURE
from .requests import Earlier, Requests
from .results import DONE, FAILED, STARTED, Outcome, enumerated

FIRST_SIGN_SECONDS = 600.0
"""After an answer was lost, how long it may take until the first of the SVMs shows that the request took effect."""
FIRST_SIGN_AFTER_ERROR_SECONDS = 60.0
"""The same, when the answer was not lost but an error of the server, which has most likely done nothing."""
_NOTHING_DONE = (500, 503)
"""The statuses that say so. A gateway that got no answer (502, 504) knows nothing about it."""
SETTLE_SECONDS = 30.0
"""How long the server's list may take to show what a task did."""
REFRESH_SECONDS = 12.0
"""After that time, longer than the interval that the pages show, the server is asked to read the infrastructure again."""
Place = tuple[str, Optional[str]]
"""An infrastructure, and a project of it or None."""


def svms_in(api: SvmManagementApi, place: Place) -> list[Object]:
    """Return the SVMs that the server lists in an infrastructure, or in one project of it."""
    infrastructure_id, parent_id = place
    return api.objects(infrastructure_id, object_types=("SVM",), output_type="GeneralInfo", parent_id=parent_id).vms


@dataclass(frozen=True, eq=False)
class Expected:
    """What the server's list is expected to show of an SVM, which is known by its id, or by name and place."""

    target: Target
    svm_id: Optional[str]
    there: bool = True

    def among(self, machines: Sequence[Object]) -> Optional[Object]:
        if self.svm_id is not None:
            return next((one for one in machines if str(one.get("id")).lower() == self.svm_id.lower()), None)
        named = (one for one in machines if one.get("name") == self.target.name)
        places = (self.target.location_id, None)
        return next((one for one in named if self.target.openstack or one.get("parent_id") in places), None)

    @property
    def listed_in(self) -> Place:
        """The infrastructure whose list shows the SVM, and the project where only that tells which SVM of a name it is.

        In OpenStack, the parent that an SVM shows may be a hypervisor.
        """
        by_project = self.svm_id is None and self.target.openstack
        return self.target.infrastructure_id, self.target.location_id if by_project else None


class Lists:
    """What the server lists, which may lag behind what its tasks did.

    The server reads an infrastructure at intervals (``updatePeriodSeconds`` of a connection), so an SVM may be missing from
    its list for a while after it was deployed, and be in it after it was removed.
    Source: "Connecting to the virtual infrastructure", "Getting information about infrastructure objects" (SVM management).

    :param refresh_after: The seconds after which the server is asked to read the infrastructure again.
    """

    def __init__(self, api: SvmManagementApi, poller: Poller, refresh_after: float = REFRESH_SECONDS) -> None:
        self._api = api
        self._poller = poller
        self._refresh_at = Deadline(refresh_after, poller.context.clock)
        self._refreshed: set[str] = set()
        self.trouble: Optional[KsvlaError] = None
        """Why a list could not be read at the last look."""
        self.ids: dict[Target, str] = {}
        """The ids of the SVMs that were seen."""

    def wait(self, expected: Sequence[Expected]) -> list[Expected]:
        """Wait until the lists show what is expected, and return what they do not show in the end."""
        late = list(expected)

        def look(deadline: Deadline) -> Look[None]:
            late[:] = self.look(late, deadline)
            return Look(None, not late)

        if late:
            try:
                self._poller.within(SETTLE_SECONDS).until_done(look)
            except KsvlaError as error:
                self.trouble = error
        return late

    def look(self, expected: Sequence[Expected], deadline: Deadline) -> list[Expected]:
        """Return what the lists do not show now, and let the server read those infrastructures again in time."""
        api = self._api.within(deadline, retries=0)
        listed: dict[Place, list[Object]] = {}
        trouble: Optional[KsvlaError] = None
        for place in dict.fromkeys(one.listed_in for one in expected):
            try:
                listed[place] = svms_in(api, place)
            except ApiError as error:  # As while the infrastructure is being read again.
                trouble = error
        self.trouble = trouble
        late = [one for one in expected if not self._shows(listed.get(one.listed_in), one)]
        if self._refresh_at.expired():
            for infrastructure_id in {one.target.infrastructure_id for one in late} - self._refreshed:
                self._refreshed.add(infrastructure_id)
                with suppress(KsvlaError):  # The list is read in any case.
                    self._api.refresh(infrastructure_id)
        return late

    def _shows(self, listed: Optional[Sequence[Object]], expected: Expected) -> bool:
        found = expected.among(listed or ())
        if found is not None:
            self.ids[expected.target] = str(found.get("id"))
        return listed is not None and (found is not None) is expected.there


class LostAnswer:
    """A request whose answer was lost, looked for by what it was to do. It is never sent again.

    :param error: How it was lost, here or in an earlier run.
    :param settle: Takes what became of each SVM.
    """

    def __init__(
        self, requests: Requests, targets: Sequence[Target], error: OutcomeUnknown, settle: Callable[[Outcome], None]
    ) -> None:
        self._lists = Lists(requests.api, requests.poller)
        self._requests = requests
        self._settle = settle
        self._error = error
        self._action = requests.action
        self._expected = self._late = [Expected(one, one.svm_id, self._action == DEPLOY) for one in targets]
        if error.status in _NOTHING_DONE:
            for one in self._unanswered():
                requests.shorten(one, FIRST_SIGN_AFTER_ERROR_SECONDS)
        patience = min([FIRST_SIGN_SECONDS, *map(requests.remaining, self._unanswered())])
        self._first_sign_by = Deadline(patience, requests.context.clock)

    def look(self, deadline: Deadline) -> Look[Optional[KsvlaError]]:
        """Look once; it is done when everything shows, or, with an error, when nothing shows that anything ever will."""
        if self._action == RECONFIGURE:  # What it did cannot be seen.
            return Look(self.give_up(), True)
        before = self._late
        self._late = self._lists.look(self._expected, deadline)
        for one in self._expected:
            self._requests.context.progress(one.target.label, "the answer was lost, looking whether it took effect")
            if self._action == DEPLOY and one in before and one not in self._late:
                self._requests.shown(one.target)
        if len(self._late) == len(self._expected) and self._first_sign_by.expired():
            return Look(self.give_up(), True)
        if self._late:
            return Look(None, False)
        self.give_up()
        if self._action == DEPLOY:
            self._requests.warn(
                f"The server's answer was lost, so its task is not known. {self._names} can be seen in the infrastructure; "
                "whether the deployment is finished is not known."
            )
        return Look(None, True)

    def give_up(self) -> KsvlaError:
        """Note what was seen until now and return the failure."""
        self._error.hint = (
            "The request was not sent again. Look in the Integration Server's console whether a task for "
            f"{self._names} is under way or done, then run this again."
        )
        unanswered = self._unanswered()
        if unanswered and self._action == DEPLOY:
            self._error.hint += f" {self._requests.advice(*unanswered)}"
        seen = STARTED if self._late and self._action == DEPLOY else DONE[self._action]
        for one in self._expected:
            if one in self._late:
                self._settle(Outcome(one.target, FAILED, error=self._error.message, error_code=self._error.error_code))
            else:
                self._settle(Outcome(one.target, seen, self._lists.ids.get(one.target)))
        return self._error

    def _unanswered(self) -> list[Earlier]:
        return self._requests.noted(one.target for one in self._late)

    @property
    def _names(self) -> str:
        return enumerated([one.target.label for one in self._expected])
