# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering SVM images once, and letting the server verify that they are authentic.

Sources: "SVM image registration request", "Verifying the authenticity of the SVM image" (SVM management).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from ..._api.shapes import text
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Image
from ..._api.tasks import ServerTask
from ..._errors import ApiError, TaskFailed, unless_missing
from ..._tasks.memory import Memory, Record
from ..._tasks.once import AddedOnce, Once, State, Subject
from ..._tasks.poller import Poller, require_success, watch_task
from .wanted import NUMA, NUMA_OTHERWISE, WantedImage, image_type

_NOT_AUTHENTIC = (
    "Do not deploy it: download the image and its description again, put both in one new folder on the machine of the "
    "Integration Server, and register it from there."
)
_AGAIN = "Whether the image is authentic is not known: run this again to verify it."


class Images(AddedOnce[WantedImage, Image]):
    """The images of one server, as far as they can be known."""

    id_option = "image_id"

    def find(self, item: WantedImage) -> Optional[Image]:
        """Return the image of the id given, or else the one of the same manifest, or None.

        It is known when it was registered from this machine, or when the server lists images with their manifests. No page
        documents the list: nothing is taken to be gone because it is not in it. Whether the server has an image shows when
        it is verified.
        """
        listed = self.api.images() or []
        remembered = self._remembered(item)
        known_id = item.id or (remembered.id if remembered else None)
        if known_id is None:
            return next((one for one in listed if item.fits(one.manifest_url, one.infrastructure_types)), None)
        known = next((one for one in listed if one.id.lower() == known_id.lower()), None)
        if known is not None:
            return known
        if listed and item.id is not None:
            self.context.warn(f"The server's list of images does not show the image {known_id}.")
        elif item.id is None and not item.verify:
            self.context.warn(
                f"The image {known_id} is used, which was registered from this machine for {item.manifest_path}. Whether "
                "the Integration Server still has it was not checked, since validate_image is false."
            )
        return item.image(known_id)

    def forget(self, wanted: WantedImage, image: Image) -> bool:
        """Forget an image that the server does not know, and return whether it was one that this machine registered."""
        remembered = self._remembered(wanted) if wanted.id is None else None
        if remembered is None or remembered.id != image.id:
            return False
        self.memory.forget(remembered)
        return True

    def _remembered(self, wanted: WantedImage) -> Optional[Record]:
        """Return the record of the image that was registered first."""

        def fits(record: Record) -> bool:
            path, _blank, types = record.key.partition(" ")[2].rpartition(" ")
            return record.id is not None and wanted.fits(path, types.split("+"))

        records = list(filter(fits, self.memory.find_all("image ")))
        return records[-1] if records else None

    def subject(self, item: WantedImage) -> Subject:
        about = f"register the image {item.label} for {', '.join(item.types)}"
        return Subject(item.key, about, kept_seconds=None)

    def add(self, item: WantedImage) -> Image:
        """Register the image; with the other spelling of a type where the first is refused."""
        types = list(item.types)
        try:
            image = self.api.register_image(item.manifest_path, types)
        except ApiError as error:
            otherwise = [NUMA_OTHERWISE if each == NUMA else each for each in types]
            try:
                if otherwise == types or error.status not in (400, 404, 422):
                    raise error
                image = self.api.register_image(item.manifest_path, otherwise)
            except ApiError:
                error.hint = error.hint or (
                    "manifest_path is the absolute path of the image's description (*.xml) on the machine of the Integration "
                    f"Server, in the same folder as the image: {item.manifest_path}."
                )
                raise error from None
        return replace(image, infrastructure_types=[image_type(each) for each in image.infrastructure_types] or types)


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
            raise UnknownImage(
                f"No image has the id {image_id}.",
                error_code=error.error_code,
                status=error.status,
                request=error.request,
                hint="Register it: give manifest_path and infrastructure_types. If a role has the id from its state file, "
                "remove that line from the file.",
            ) from error
