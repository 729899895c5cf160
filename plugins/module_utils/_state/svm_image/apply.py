# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering an SVM image once, and knowing it again by its id.

Source: "SVM image registration request" (SVM management).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Image
from ..._clock import Deadline
from ..._errors import ApiError, KsvlaError, OutcomeUnknown
from ..._tasks.memory import Memory, Record
from ..._tasks.once import Once, State, Subject
from ..._tasks.poller import GRACE_SECONDS, Poller
from .wanted import NUMA, NUMA_OTHERWISE, WantedImage, image_type, plain_path


class ImageApplier:
    """Finds images and registers them."""

    repeatable = False
    """No page documents a list of images, so that it is never certain that a request did nothing."""

    def __init__(self, api: SvmManagementApi, poller: Poller, memory: Memory, retries: int) -> None:
        self._api = api
        self._context = poller.context
        self._memory = memory
        self._once = Once(memory, poller.context, poller.deadline, retries)
        self._image = Image("", None, None, {}, [])
        """What the last registration gave, or found."""
        self._unanswered: Optional[Record] = None
        """The request of an earlier run whose answer was lost."""
        self.changed = False
        """Whether an image was registered from here."""

    def find(self, wanted: WantedImage) -> Optional[Image]:
        """Return the image of the id given, or else the one of the same manifest, or None.

        It is known when it was registered from this machine, or when the server lists images with their manifests. No page
        documents the list: nothing is taken to be gone because it is not in it. Whether the server has an image shows when
        it is verified.
        """
        listed = self._api.images()
        remembered = self._remembered(wanted)
        known_id = wanted.id or (remembered.id if remembered else None)
        if known_id is None:
            return next((one for one in listed or [] if _is_same(one, wanted)), None)
        known = next((one for one in listed or [] if one.id.lower() == known_id.lower()), None)
        if known is not None:
            return known
        if listed and wanted.id is not None:
            self._context.warn(f"The server's list of images does not show the image {known_id}.")
        elif wanted.id is None and not wanted.verify:
            self._context.warn(
                f"The image {known_id} is used, which was registered from this machine for {wanted.manifest_path}. Whether "
                "the Integration Server still has it was not checked, since validate_image is false."
            )
        return wanted.image(known_id)

    def register(self, wanted: WantedImage) -> Image:
        """Register the image unless another run just did, and return it.

        :raises OutcomeUnknown: when the answer was lost and it cannot be seen whether it was registered.
        """
        try:
            started = self._once.start(self, [wanted], f"register image {wanted.label}")
        except ApiError as error:
            self._explain_refusal(wanted, error)
            raise
        if started.lost is not None:
            return self._registered_anyway(wanted, started.lost)
        if started.sent and self._unanswered is not None:
            self._context.warn(
                f"The image {wanted.label} was requested from this machine before, at {self._unanswered.sent}, and the answer "
                "was lost. It could not be found, so it was registered again, and the Integration Server may have it twice; "
                f"from now on the id {started.id} is used."
            )
        return self._image

    def forget(self, wanted: WantedImage, image: Image) -> bool:
        """Forget an image that the server does not know, and return whether it was one that this machine registered."""
        remembered = self._remembered(wanted) if wanted.id is None else None
        if remembered is None or remembered.id != image.id:
            return False
        self._memory.forget(remembered)
        return True

    def _remembered(self, wanted: WantedImage) -> Optional[Record]:
        """Return the record of the image that was registered first."""
        records = [one for one in self._memory.find_all("image ") if one.id is not None and wanted.fits(one.key)]
        return records[-1] if records else None

    def _registered_anyway(self, wanted: WantedImage, lost: KsvlaError) -> Image:
        """Return the image that a request without an answer registered, as far as the server's list shows it."""
        listed = None
        try:
            listed = self._api.within(Deadline(GRACE_SECONDS, self._context.clock)).images()
        except KsvlaError as error:
            self._context.trace(f"Looking whether it was registered failed: {error.message}")
        for one in listed or []:
            if _is_same(one, wanted):
                noted = self._memory.find(wanted.key)
                if noted is not None:
                    self._memory.complete(noted, one.id)
                self.changed = True
                return one
        raise OutcomeUnknown(
            f"Whether the image {wanted.label} was registered is not known: {lost.message}",
            status=lost.status,
            request=lost.request,
            hint="If the Integration Server's log or console shows it, run this again with its image_id; otherwise run this "
            "again as it is.",
        ) from lost

    def _explain_refusal(self, wanted: WantedImage, error: ApiError) -> None:
        if error.status == 409:
            earlier = self._unanswered
            lost = f" The request of {earlier.sent}, whose answer was lost, may have registered it." if earlier else ""
            error.hint = (
                "It is registered already: give its image_id, as it was returned when it was registered or as the "
                f"Integration Server's console shows it.{lost}"
            )
        elif error.status == 400 and error.hint is None:
            error.hint = (
                "manifest_path is the absolute path of the image's description (*.xml) on the machine of the Integration "
                f"Server, in the same folder as the image: {wanted.manifest_path}."
            )

    # ---- what starting once asks for ----------------------------------------------------------------------------------

    def subject(self, wanted: WantedImage) -> Subject:
        """Return what a request is about."""
        return Subject(wanted.key, f"register image {wanted.label} for {', '.join(wanted.types)}", kept_seconds=None)

    def under_way(self, _wanted: WantedImage, _record: Optional[Record]) -> Optional[str]:
        """Return None: images are registered without a task."""
        return None

    def state(self, wanted: WantedImage, record: Optional[Record]) -> State:
        """Read whether the image is registered."""
        self._unanswered = record if record is not None and record.id is None else None
        found = self.find(wanted)
        if found is None:
            return State.MISSING
        self._image = found
        return State.HOLDS

    def send(self, wanted_images: Sequence[WantedImage]) -> str:
        """Register the one image and return its id; with the other spelling of a type where the first is refused."""
        (wanted,) = wanted_images
        try:
            image = self._api.register_image(wanted.manifest_path, wanted.types)
        except ApiError as error:
            if NUMA not in wanted.types or error.status not in (400, 404, 409, 422):
                raise
            otherwise = [NUMA_OTHERWISE if each == NUMA else each for each in wanted.types]
            try:
                image = self._api.register_image(wanted.manifest_path, otherwise)
            except ApiError:
                raise error from None
        types = [image_type(each) for each in image.infrastructure_types] or list(wanted.types)
        self._image = replace(image, infrastructure_types=types)
        self.changed = True
        return image.id


def _is_same(image: Image, wanted: WantedImage) -> bool:
    """Return whether a listed image has the same manifest, where the list shows it, and is for the same platforms."""
    same = image.manifest_url is not None and plain_path(image.manifest_url) == plain_path(wanted.manifest_path)
    return same and set(wanted.types) <= {image_type(each) for each in image.infrastructure_types}
