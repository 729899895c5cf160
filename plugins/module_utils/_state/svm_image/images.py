# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and registering SVM images: each is registered once, and known again by its id.

Source: "SVM image registration request" (SVM management).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Image
from ..._errors import ApiError
from ..._tasks.adding import AddedOnce
from ..._tasks.memory import Memory, Record
from ..._tasks.once import Subject
from ..._tasks.poller import Poller
from .wanted import NUMA, NUMA_OTHERWISE, WantedImage, image_type, plain_path


class Images(AddedOnce[WantedImage]):
    """The images of one server, as far as they can be known."""

    id_option = "image_id"

    def __init__(self, api: SvmManagementApi, poller: Poller, memory: Memory, retries: int) -> None:
        super().__init__(poller, memory, retries)
        self._api = api

    def find(self, item: WantedImage) -> Optional[Image]:
        """Return the image of the id given, or else the one of the same manifest, or None.

        It is known when it was registered from this machine, or when the server lists images with their manifests. No page
        documents the list: nothing is taken to be gone because it is not in it. Whether the server has an image shows when
        it is verified.
        """
        listed = self._api.images()
        remembered = self._remembered(item)
        known_id = item.id or (remembered.id if remembered else None)
        if known_id is None:
            return next((one for one in listed or [] if _is_same(one, item)), None)
        known = next((one for one in listed or [] if one.id.lower() == known_id.lower()), None)
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
        records = [one for one in self.memory.find_all("image ") if one.id is not None and wanted.fits(one.key)]
        return records[-1] if records else None

    def subject(self, item: WantedImage) -> Subject:
        about = f"register the image {item.label} for {', '.join(item.types)}"
        return Subject(item.key, about, kept_seconds=None)

    def add(self, item: WantedImage) -> Image:
        """Register the image; with the other spelling of a type where the first is refused."""
        types = list(item.types)
        try:
            image = self._api.register_image(item.manifest_path, types)
        except ApiError as error:
            otherwise = [NUMA_OTHERWISE if each == NUMA else each for each in types]
            try:
                if otherwise == types or error.status not in (400, 404, 422):
                    raise error
                image = self._api.register_image(item.manifest_path, otherwise)
            except ApiError:
                error.hint = error.hint or (
                    "manifest_path is the absolute path of the image's description (*.xml) on the machine of the Integration "
                    f"Server, in the same folder as the image: {item.manifest_path}."
                )
                raise error from None
        return replace(image, infrastructure_types=[image_type(each) for each in image.infrastructure_types] or types)


def _is_same(image: Image, wanted: WantedImage) -> bool:
    """Return whether a listed image has the same manifest, where the list shows it, and is for the same platforms."""
    same = image.manifest_url is not None and plain_path(image.manifest_url) == plain_path(wanted.manifest_path)
    return same and set(wanted.types) <= {image_type(each) for each in image.infrastructure_types}
