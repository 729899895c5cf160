# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a simulator is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EXAMPLE_MULTITENANCY_PASSWORD = "Example-Multitenancy-1"
EXAMPLE_ADMIN_PASSWORD = "Example-Admin-1"


def _multitenancy_password() -> str:
    return os.environ.get("KSVLA_MULTITENANCY_PASSWORD") or EXAMPLE_MULTITENANCY_PASSWORD


def _admin_password() -> str:
    return os.environ.get("KSVLA_ADMIN_PASSWORD") or EXAMPLE_ADMIN_PASSWORD


@dataclass
class Options:
    """What is fixed while the simulator runs. Port 0 is any free one; ``stop_after`` is idle time in seconds.

    The state file is written at most every ``save_seconds``.

    Without a ``directory`` a temporary one is made and removed at the end. ``settings`` are those of the command line.
    """

    address: str = "127.0.0.1"
    port: int = 7271
    directory: Path | None = None
    multitenancy_password: str = field(default_factory=_multitenancy_password, repr=False)
    admin_password: str = field(default_factory=_admin_password, repr=False)
    state: Path | None = None
    tenants: int = 0
    vms: int = 0
    stop_after: float | None = 3600.0
    save_seconds: float = 5.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    assignments: tuple[str, ...] = ()
