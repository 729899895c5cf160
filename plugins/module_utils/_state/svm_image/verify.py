# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letting the server verify that an SVM image is authentic, once at a time.

Source: "Verifying the authenticity of the SVM image" (SVM management).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import CANCELED, ServerTask
from ..._errors import ApiError, KsvlaError, TaskFailed
from ..._module.context import Context, Result
from ..._tasks.journal import TaskJournal
from ..._tasks.poller import Poller
from ..._tasks.turns import Turns
from ..._tasks.watch import require_success, watch_task

_MOST_REMEMBERED = 5
"""Tasks of earlier runs that are asked for at the most: only the newest can still be under way."""

_NOT_AUTHENTIC = (
    "Do not deploy it: download the image and its description anew, put both in one folder on the machine of the "
    "Integration Server, and register it again."
)
_AGAIN = "Whether the image is authentic is not known: run this again to verify it."
_SAYS_NO = frozenset({"valid", "isvalid", "authentic", "isauthentic", "success", "issuccess", "succeeded", "verified"})
"""Keys of a result that says no by a false value, in lower case."""


class ImageVerifier:
    """Verifies images of one server; what an earlier run started and is under way is attached to.

    :param journal: Remembers the tasks.
    """

    def __init__(
        self, api: SvmManagementApi, journal: TaskJournal, turns: Turns, poller: Poller, context: Context
    ) -> None:
        self._api = api
        self._journal = journal
        self._turns = turns
        self._poller = poller
        self._context = context

    def verify(self, image_id: str, result: Result) -> None:
        """Verify an image and note the task in the result.

        :raises TaskFailed: when the image is not authentic.
        :raises ApiError: when no image has that id.
        :raises WaitTimeout: when the time is up; a repeat attaches to the task.
        """
        try:
            task = self._task(image_id)
            result["task"] = task.as_dict()
            if not self._poller.waiting.wait:
                return
            if not task.ended:
                task = watch_task(self._api, task.id, self._poller, f"image {image_id}")
            result["task"] = task.as_dict()
            if _denies(require_success(task).result):
                raise TaskFailed(f"The image {image_id} is not authentic.", task=task.as_dict())
        except TaskFailed as error:
            canceled = str((error.task or {}).get("state")).lower() in CANCELED
            error.hint = error.hint or (_AGAIN if canceled else _NOT_AUTHENTIC)
            error.add_details(**result)
            raise
        except KsvlaError as error:
            error.add_details(**result)
            raise

    def _task(self, image_id: str) -> ServerTask:
        """Return the task that is under way, or else a new one."""
        subject = f"verify image {image_id.lower()}"
        with self._turns.take(subject, time.time()):
            self._journal.reread()
            task = self._under_way(subject)
            if task is None:
                task = self._started(image_id)
                self._journal.remember(task.id, subject)
        return task

    def _under_way(self, subject: str) -> Optional[ServerTask]:
        for task_id in self._journal.ids_about(subject)[:_MOST_REMEMBERED]:
            try:
                task = self._api.task(task_id)
            except ApiError as error:
                if error.not_found:
                    continue
                raise
            if not task.ended:
                self._context.trace(f"Task {task_id}, which verifies this image, is under way already.")
                return task
        return None

    def _started(self, image_id: str) -> ServerTask:
        try:
            return self._api.task(self._api.validate_image(image_id))
        except ApiError as error:
            if error.not_found:
                error.message = f"No image has the id {image_id}."
                error.hint = "Register it: give manifest_path and infrastructure_types."
            raise


def _denies(result: Any) -> bool:
    """Return whether the result of a task that is completed says no: as a Boolean or a text, alone or below a key."""
    if isinstance(result, Mapping):
        alone = len(result) == 1
        return any(_denies(value) for key, value in result.items() if alone or _plain(key) in _SAYS_NO)
    return result is False or (isinstance(result, str) and result.strip().lower() == "false")


def _plain(key: str) -> str:
    return key.replace("_", "").lower()
