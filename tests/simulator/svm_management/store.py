# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's database of infrastructures, and the course of their connections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulator.clock import Clock
from simulator.effects import Note
from simulator.svm_management.addresses import split
from simulator.svm_management.connection import Connector
from simulator.svm_management.model import Infrastructure, Machine
from simulator.svm_management.platforms import PLATFORMS
from simulator.svm_management.settings import SvmSettings


class Infrastructures:
    """Infrastructures by id. A part of the state.

    Nothing runs by itself: `settle`, called before every request is looked at, ends the attempts whose time has come.
    """

    def __init__(
        self,
        settings: SvmSettings,
        clock: Clock,
        connector: Connector,
        touch: Callable[[], None],
        note: Note,
    ) -> None:
        self._note = note
        self._settings = settings
        self._clock = clock
        self._connector = connector
        self._touch = touch
        self._all: dict[str, Infrastructure] = {}
        self._pending: dict[str, Infrastructure] = {}
        self._again: dict[str, float] = {}
        self._views: dict[str, list[Machine]] = {}

    def machines(self, infrastructure: Infrastructure) -> list[Machine]:
        """The machines that are shown: the server's view of an infrastructure may lag behind."""
        now = [each for each in infrastructure.machines.values() if each.visible]
        if self._settings.objects_shown == "current":
            self._views.pop(infrastructure.id.lower(), None)
            return now
        return self._views.setdefault(infrastructure.id.lower(), now)

    def all(self) -> list[Infrastructure]:
        """All infrastructures, oldest first."""
        return list(self._all.values())

    def get(self, infrastructure_id: str) -> Infrastructure | None:
        """An infrastructure by its id."""
        return self._all.get(infrastructure_id.lower())

    def same(self, kind: str, address: str) -> Infrastructure | None:
        """One of this type at this address."""
        port = PLATFORMS[kind].port
        wanted = split(address, port)
        found = (each for each in self._all.values() if each.type == kind and split(each.address, port) == wanted)
        return next(found, None)

    def add(self, infrastructure: Infrastructure) -> None:
        """Adds an infrastructure, and begins to connect unless it has an outcome already."""
        self._all[infrastructure.id.lower()] = infrastructure
        self._touch()
        self._note("add infrastructure", f"{infrastructure.type} {infrastructure.address}")
        if not infrastructure.outcome:
            self.connect(infrastructure)

    def remove(self, infrastructure: Infrastructure) -> None:
        """Forgets an infrastructure."""
        for mapping in (self._all, self._pending, self._again, self._views):
            mapping.pop(infrastructure.id.lower(), None)
        self._note("remove infrastructure", f"{infrastructure.type} {infrastructure.address}")
        self._touch()

    def connect(self, infrastructure: Infrastructure) -> None:
        """Begins to connect, again if need be."""
        infrastructure.due = self._clock.now() + self._settings.connection_seconds
        self._pending[infrastructure.id.lower()] = infrastructure
        self._again.pop(infrastructure.id.lower(), None)
        self._touch()

    def refresh(self, infrastructure: Infrastructure) -> None:
        """Connects again, at once or after a while."""
        if self._settings.objects_shown == "refreshed":
            self._views.pop(infrastructure.id.lower(), None)
        if self._settings.refresh_delay_seconds:
            self._again[infrastructure.id.lower()] = self._clock.now() + self._settings.refresh_delay_seconds
        else:
            self.connect(infrastructure)

    def settle(self) -> None:
        """Ends the attempts whose time has come."""
        now = self._clock.now()
        for key in [key for key, at in self._again.items() if at <= now]:
            self.connect(self._all[key])
        for infrastructure in list(self._pending.values()):
            if infrastructure.due is not None and infrastructure.due <= now:
                self.conclude(infrastructure)

    def conclude(self, infrastructure: Infrastructure) -> None:
        """Ends an attempt now."""
        self._pending.pop(infrastructure.id.lower(), None)
        infrastructure.outcome, infrastructure.due = self._connector.attempt(infrastructure), None
        if infrastructure.connected:
            infrastructure.seen = True
        elif self._settings.reconnect_seconds:
            self._again[infrastructure.id.lower()] = self._clock.now() + self._settings.reconnect_seconds
        self._touch()

    def dump(self) -> Any:
        self.settle()
        return [infrastructure.to_json() for infrastructure in self._all.values()]

    def load(self, data: Any) -> None:
        for record in data:
            infrastructure = Infrastructure.from_json(record)
            self._all[infrastructure.id.lower()] = infrastructure
            if infrastructure.due is not None:
                self._pending[infrastructure.id.lower()] = infrastructure

    def reset(self) -> None:
        for mapping in (self._all, self._pending, self._again, self._views):
            mapping.clear()
