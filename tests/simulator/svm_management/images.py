# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SVM images that are registered. Source: 'Registering an SVM image on the Integration Server'."""

from __future__ import annotations

import re
import uuid
from dataclasses import asdict, dataclass
from typing import Any

from simulator.effects import Note
from simulator.state import StateError
from simulator.svm_management.platforms import PLATFORMS
from simulator.svm_management.settings import SvmSettings

NUMA, NUMA_AS_PRINTED = "NUMAVSERVER", "NUMAVERSER"
_ABSOLUTE = re.compile(r"(/|[A-Za-z]:[\\/]|\\\\[^\\/]+\\[^\\/]+\\)[^\x00-\x1f]*\.xml", re.IGNORECASE)
_SIZE = 1_733_296_128


@dataclass
class Image:
    """One image with the platform types that it is registered for."""

    id: str
    manifest_url: str
    version: str
    types: list[str]

    def suits(self, platform: str) -> bool:
        """Whether it is registered for a platform."""
        return platform in self.types or (platform == NUMA and NUMA_AS_PRINTED in self.types)

    def suits_flavor(self, versions: list[str]) -> bool:
        """Whether a flavor that is suitable for these SVM versions suits this image."""
        return any(self.version == each or self.version.startswith(f"{each}.") for each in versions)

    def to_answer(self) -> dict[str, Any]:
        """As the page lists it."""
        return {
            "id": self.id,
            "manifest": {
                "svmVersion": self.version,
                "size": str(_SIZE),
                "vendorInfo": {
                    "en": _vendor("AO Kaspersky Lab", "An SVM for the simulator", self.version),
                    "ru": _vendor('АО "Лаборатория Касперского"', "SVM для симулятора", self.version),
                },
            },
            "hypervisors": [{"type": each} for each in self.types],
        }


class Images:
    """Images by id. A part of the state."""

    def __init__(self, settings: SvmSettings, note: Note) -> None:
        self._settings = settings
        self._note = note
        self._all: dict[str, Image] = {}

    def all(self) -> list[Image]:
        """All images, oldest first."""
        return list(self._all.values())

    def get(self, image_id: str) -> Image | None:
        """An image by its id."""
        return self._all.get(image_id.lower())

    def of(self, manifest_url: str) -> Image | None:
        """An image by its manifest."""
        return next((each for each in self._all.values() if each.manifest_url == manifest_url), None)

    def add(self, manifest_url: str, types: list[str], image_id: str | None = None) -> Image:
        """Registers an image."""
        made_id = image_id or str(uuid.uuid4())
        image = Image(made_id, manifest_url, self._settings.svm_version, types)
        self._all[image.id.lower()] = image
        self._note("register image", manifest_url)
        return image

    def known_types(self) -> list[str]:
        """The types that registering takes, with the spelling that the setting wants."""
        wanted = self._settings.numa_image_type
        found = [each for each in PLATFORMS if each != NUMA or wanted != NUMA_AS_PRINTED]
        return found if wanted == NUMA else [*found, NUMA_AS_PRINTED]

    def readable(self, manifest_url: str) -> bool:
        """Whether the server finds this manifest."""
        return manifest_url not in [each.strip() for each in self._settings.missing_manifests.split("|")]

    def seed(self, records: Any) -> None:
        """Takes the key ``images`` of a seed: ``[{"manifest": path, "types": [...], "id": …}]``."""
        for record in records if isinstance(records, list) else [None]:
            if not isinstance(record, dict) or set(record) - {"manifest", "types", "id"} or "types" not in record:
                raise StateError("images has to be a list of objects with types, and perhaps manifest and id")
            self.add(record.get("manifest", "/images/svm.xml"), list(record["types"]), record.get("id"))

    def dump(self) -> Any:
        return [asdict(image) for image in self._all.values()]

    def load(self, data: Any) -> None:
        for record in data:
            self._all[record["id"].lower()] = Image(**record)

    def reset(self) -> None:
        self._all.clear()


def is_manifest(path: str) -> bool:
    """Whether it is the absolute path of an XML file, on Linux or Windows."""
    return _ABSOLUTE.fullmatch(path) is not None


def _vendor(company: str, description: str, version: str) -> dict[str, str]:
    return {
        "productName": f"SVM {version}",
        "vendor": company,
        "description": description,
        "publisher": company,
    }
