# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SVM image that the user wants, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Optional

from ..._api.svm_management.records import Image
from ..._errors import InputError
from ..._module.context import Parameters
from ..._validation import require_manifest_path
from ..infrastructure.platforms import normal_type

NUMA = "NUMAVSERVER"
NUMA_OTHERWISE = "NUMAVERSER"
"""The page about images spells this type in another way than all others do."""


@dataclass(frozen=True)
class WantedImage:
    """An image as the user describes it.

    :param id: Of an image that is registered, and not to be registered here.
    :param types: The platforms, in one spelling.
    """

    id: Optional[str]
    manifest_path: str
    types: tuple[str, ...]
    verify: bool

    @property
    def label(self) -> str:
        return self.manifest_path or str(self.id)

    @property
    def key(self) -> str:
        return f"image {_plain(self.manifest_path)} {'+'.join(sorted(self.types))}"

    def fits(self, path: Optional[str], types: Iterable[str]) -> bool:
        """Return whether an image has the same description, where its path is known, and is for these platforms or more."""
        same = path is not None and _plain(path) == _plain(self.manifest_path)
        return same and set(self.types) <= set(map(image_type, types))

    def image(self, image_id: str = "") -> Image:
        """Return what is known of the image without the server."""
        return Image(image_id, None, None, {}, list(self.types), self.manifest_path or None)


def wanted_image(parameters: Parameters) -> WantedImage:
    """Return the image of the parameters; raise InputError naming the first option that is invalid."""
    image_id, path = parameters.get("image_id"), parameters.get("manifest_path")
    require_manifest_path(path, "manifest_path")
    types = parameters.get("infrastructure_types") or []
    if image_id is None and not types:
        raise InputError("infrastructure_types is required: name the platforms on which the image will be deployed.")
    normal = tuple(dict.fromkeys(image_type(each) for each in types))
    return WantedImage(image_id, path or "", normal, bool(parameters["validate_image"]))


def image_type(infrastructure_type: str) -> str:
    normal = normal_type(infrastructure_type)
    return NUMA if normal == NUMA_OTHERWISE else normal


def _plain(path: str) -> str:
    """Return a path on the server in the form in which two can be compared: on Windows case and slashes do not matter."""
    return path.replace("\\", "/").lower() if "\\" in path or path[1:2] == ":" else path
