# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Letting the server verify that an SVM image is authentic, once at a time.

Source: "Verifying the authenticity of the SVM image" (SVM management).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Optional

from ..._api.shapes import text
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.tasks import ServerTask
from ..._errors import ApiError, TaskFailed, unless_missing
from ..._tasks.memory import Memory, Record
from ..._tasks.once import Once, State, Subject
from ..._tasks.poller import Poller, require_success, watch_task

_NOT_AUTHENTIC = (
    "Do not deploy it: download the image and its description again, put both in one new folder on the machine of the "
    "Integration Server, and register it from there."
)
_AGAIN = "Whether the image is authentic is not known: run this again to verify it."


class UnknownImage(ApiError):
    """The server has no image of that id."""


class ImageVerifier:
    """Verifies images of one server; what an earlier run started and is under way is attached to."""

    repeatable = True
    """Verifying changes nothing: a second task beside one whose id was lost does no harm."""

    def __init__(self, api: SvmManagementApi, poller: Poller, memory: Memory, retries: int) -> None:
        self._api = api
        self._poller = poller
        self._once = Once(memory, poller.context, poller.deadline, retries)

    def verify(self, image_id: str) -> ServerTask:
        """Verify an image and return the task, ended unless waiting is not wanted.

        :raises TaskFailed: when the image is not authentic.
        :raises UnknownImage: when the server has no image of that id.
        :raises WaitTimeout: when the time is up; a repeat attaches to the task.
        """
        started = self._once.start(self, [image_id], f"verify image {image_id.lower()}")
        if started.lost is not None:
            raise started.lost
        task_id = started.id or next(iter(started.attached))
        if not self._poller.waiting.wait:
            return self._api.task(task_id)
        task = watch_task(self._api, task_id, self._poller, f"image {image_id}")
        try:
            # The pages show a Boolean, true; false is taken for no, also as a text.
            if (text(require_success(task).result) or "").strip().lower() == "false":
                raise TaskFailed(f"The image {image_id} is not authentic.", task=task.as_dict())
        except TaskFailed as error:
            error.hint = error.hint or (_AGAIN if task.canceled else _NOT_AUTHENTIC)
            raise
        return task

    def subject(self, image_id: str) -> Subject:
        return Subject(f"verify image {image_id.lower()}", f"verify image {image_id}")

    def under_way(self, _image_id: str, record: Optional[Record]) -> Optional[str]:
        task = unless_missing(self._api.task, record.id) if record is not None and record.id is not None else None
        return None if task is None or task.ended else task.id

    def state(self, _image_id: str, _record: Optional[Record]) -> State:
        return State.MISSING  # What was verified before is verified again.

    def send(self, image_ids: Sequence[str]) -> str:
        (image_id,) = image_ids
        try:
            return self._api.validate_image(image_id)
        except ApiError as error:
            if not error.not_found:
                raise
            unknown = error.turned_into(UnknownImage, f"No image has the id {image_id}.")
            unknown.error_code = error.error_code
            unknown.hint = "Register it: give manifest_path and infrastructure_types."
            raise unknown from error
