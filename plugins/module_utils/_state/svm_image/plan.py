# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: whether an SVM image is registered. Nothing here talks to the server."""

from __future__ import annotations

from typing import Optional

from ..._api.svm_management.records import Image
from ..change import Change
from .wanted import WantedImage

REGISTER = "register"


def plan(wanted: WantedImage, found: Optional[Image]) -> list[Change[Image]]:
    """Return the one change that is needed, or none; verifying an image changes nothing."""
    return [] if found else [Change(REGISTER, None, wanted.image())]
