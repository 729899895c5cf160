# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding and registering SVM images: each is registered once, and known again by its id.

Source: "SVM image registration request" (SVM management).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from ..._api.svm_management.records import Image
from ..._errors import ApiError
from ..._tasks.memory import Record
from ..._tasks.once import AddedOnce, Subject
from .wanted import NUMA, NUMA_OTHERWISE, WantedImage, image_type


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
            same = (one for one in listed if item.fits(one.manifest_url, one.infrastructure_types))
            return next(same, None)
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
