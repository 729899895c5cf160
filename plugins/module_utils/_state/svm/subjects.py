# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request about an SVM is about, told apart from every other, so that a later run knows it again.

Of passwords nothing goes into it, as somebody could guess one from what is kept.
"""

from __future__ import annotations

from typing import Optional

from ..._module.context import Parameters
from . import bodies
from .plan import DEPLOY, REMOVE, PlannedSvm


class Subjects:
    """The subjects of one action.

    :param action: ``deploy``, ``reconfigure`` or ``remove``.
    """

    def __init__(self, action: str, parameters: Parameters) -> None:
        self._action = action
        self._parameters = parameters

    def own(self, planned: PlannedSvm) -> str:
        """Return the SVM in its place, and what is done to it."""
        return f"{self._action} {planned.subject}"

    def with_settings(self, planned: PlannedSvm) -> str:
        """Return the same with all settings."""
        return f"{self.own(planned)} {bodies.settings_of(self._action, self._parameters, planned)}"

    def all(self, planned: PlannedSvm) -> list[str]:
        """Return all that a request is remembered by, the SVM in its place first."""
        found = [self.own(planned)]
        if self._action == DEPLOY:
            # Whoever removes it may know its name only.
            found.append(deployment(planned, None))
        if self._action != REMOVE:
            found.append(self.with_settings(planned))
        return found


def deployment(planned: PlannedSvm, location_id: Optional[str]) -> str:
    """Return what the deployment of an SVM is about, whatever is to be done to it now.

    :param location_id: Its place; None for any.
    """
    return f"{DEPLOY} svm {planned.infrastructure_id} {location_id} {planned.name}"
