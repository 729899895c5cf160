# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Infrastructures as the API shows them."""

from __future__ import annotations

from typing import Any

from simulator.svm_management.connection import ADMIN, READ_ONLY, Connector, update_seconds
from simulator.svm_management.model import Infrastructure
from simulator.svm_management.openstack import arranged
from simulator.svm_management.platforms import OPENSTACK, PLATFORMS
from simulator.svm_management.settings import SvmSettings

_EDITION = "Standard"
_NOT_USED: dict[str, dict[str, Any]] = {
    "unused": {"status": "DISCONNECTED", "connectionError": "NO_ERROR", "message": "", "details": {}},
    "empty": {"status": "", "connectionError": "", "message": "", "details": None},
}


class InfrastructureAnswers:
    """Source: the listings of 'Connecting to the virtual infrastructure', both sections."""

    def __init__(self, settings: SvmSettings, connector: Connector) -> None:
        self._settings = settings
        self._connector = connector

    def tested(self, infrastructure: Infrastructure) -> dict[str, Any]:
        """The answer of testConnection."""
        shown = self._head(infrastructure)
        shown.update(self._names(infrastructure))
        shown["connectionInfo"] = self._connection(infrastructure, self._connector.attempt(infrastructure))
        return shown

    def full(self, infrastructure: Infrastructure, named: bool = True) -> dict[str, Any]:
        """The answer of adding and of the status; right after adding, only OpenStack's has a name and a version."""
        openstack = PLATFORMS[infrastructure.type].family == OPENSTACK
        shown = {"infrastructureId": infrastructure.id, **self._head(infrastructure)}
        if named or openstack:
            shown.update(self._names(infrastructure))
        if not openstack:
            shown["accounts"] = {
                self._key(kind, openstack): {"name": account.name} for kind, account in infrastructure.accounts.items()
            }
        outcome = infrastructure.outcome
        if infrastructure.due is not None:
            outcome = self._connector.connecting(infrastructure)
        shown["connectionInfo"] = self._connection(infrastructure, outcome)
        return shown

    def _head(self, infrastructure: Infrastructure) -> dict[str, Any]:
        shown: dict[str, Any] = {"type": infrastructure.type, "address": infrastructure.address}
        if infrastructure.protocol is not None:
            specific = {"protocol": infrastructure.protocol}
            if infrastructure.region is not None:
                specific["region"] = infrastructure.region
            shown["specificSettings"] = specific
        return shown

    def _names(self, infrastructure: Infrastructure) -> dict[str, Any]:
        shown = {"name": infrastructure.name, "displayName": infrastructure.name, "version": infrastructure.version}
        if PLATFORMS[infrastructure.type].family == OPENSTACK:
            shown["edition"] = _EDITION
        return shown

    def _key(self, kind: str, openstack: bool) -> str:
        if kind == ADMIN:
            return kind
        spelling = self._settings.shape("read_only_key")
        return ("readonly" if openstack else READ_ONLY) if spelling == "pages" else spelling

    def _connection(self, infrastructure: Infrastructure, outcome: dict[str, dict[str, Any]]) -> dict[str, Any]:
        openstack = PLATFORMS[infrastructure.type].family == OPENSTACK
        known = dict(outcome)
        setting = self._settings.read_only_info
        if setting == "always" and ADMIN in known:
            known.setdefault(READ_ONLY, known[ADMIN])
        if setting in _NOT_USED:
            known.setdefault(READ_ONLY, _NOT_USED[setting])
        shown = {}
        for kind, each in known.items():
            info: dict[str, Any] = {"status": each["status"], "connectionError": each["connectionError"]}
            if not openstack:
                info["errorMessage"] = each["message"] if self._settings.connection_messages else ""
            if kind == READ_ONLY:
                info["updatePeriodSeconds"] = update_seconds(openstack)
            if each["details"] is not None:
                info["details"] = arranged(each["details"], self._settings.shape("regions_nesting"))
                if openstack and kind == READ_ONLY and self._settings.shape("read_only_details") == "pages":
                    info["details"] = "..."
            shown[self._key(kind, openstack)] = info
        return shown
