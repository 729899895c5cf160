# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tenants, virtual machines and protection periods given from outside, or made up in numbers."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from simulator.clock import parse_date
from simulator.multitenancy.model import ACTIVE, COMPLETE, INACTIVE, SIMPLE, Tenant, Vm
from simulator.multitenancy.periods import Period
from simulator.multitenancy.store import Store, new_id
from simulator.state import StateError

_TENANT_KEYS = {
    "id", "name", "description", "user_data", "type", "status", "created", "updated",
    "server_id", "admin_username", "preferred_address", "active_from", "vms",
}  # fmt: skip
_VM_KEYS = {"id", "bios_id", "name", "user_data", "created", "updated"}
_PERIOD_KEYS = {"tenant_id", "tenant_name", "vm_id", "vm_name", "from", "to"}


class Seeds:
    """Takes the keys ``tenants`` and ``periods`` of ``POST /seed``; dates are text as the API writes it, or seconds."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now

    def tenants(self, records: Any) -> None:
        """Adds tenants, as if they had been created: ``[{"name": …, "type": …, "status": …, "vms": [{…}]}]``.

        An active one was activated at ``active_from`` (default: when it was created).
        """
        for record in _records(records, _TENANT_KEYS, "tenants"):
            self._tenant(record)

    def periods(self, records: Any) -> None:
        """Adds protection periods: ``[{"tenant_id", "tenant_name", "vm_id", "vm_name", "from", "to"}]``.

        Without a tenant: a virtual machine that belongs to none. Without ``to``: it lasts.
        """
        for record in _records(records, _PERIOD_KEYS, "periods"):
            if "vm_id" not in record or "from" not in record:
                raise StateError("a period needs vm_id and from")
            tenant = self._store.tenant(record.get("tenant_id", "")) or self._store.names.get(
                record.get("tenant_name", "")
            )
            self._store.periods.append(
                Period(
                    tenant.id if tenant else record.get("tenant_id", ""),
                    tenant.name if tenant else record.get("tenant_name", ""),
                    record["vm_id"],
                    record.get("vm_name", ""),
                    _time(record["from"]),
                    None if record.get("to") is None else _time(record["to"]),
                )
            )

    def fill(self, tenants: int, vms: int, source: random.Random) -> None:
        """Adds that many tenants, every second one complete, all active, and deals the virtual machines out to them."""
        now = self._now()
        made: list[Tenant] = []
        for number in range(1, max(tenants, 1 if vms else 0) + 1):
            record: dict[str, Any] = {"id": _uuid(source), "name": f"Tenant {number:05d}", "status": ACTIVE}
            record["description"] = f"Example tenant {number}"
            if number % 2 and len(self._store.security_center.servers) < 500:
                record.update(type=COMPLETE, server_id=_uuid(source), admin_username=f"admin-{number:05d}")
            made.append(self._tenant(record))
        for number in range(1, vms + 1):
            tenant = made[(number - 1) % len(made)]
            vm = Vm(_uuid(source), _uuid(source), f"vm-{number:06d}", None, now, now, tenant)
            self._store.add_vm(vm)

    def _tenant(self, record: Mapping[str, Any]) -> Tenant:
        store = self._store
        name = record.get("name")
        if not isinstance(name, str) or not name:
            raise StateError("a tenant needs a name")
        tenant_id = record.get("id") or new_id()
        if name in store.names or store.tenant(tenant_id) is not None:
            raise StateError(f"there is a tenant with the name {name!r} or its id already")
        kind = {"complete": COMPLETE, "simple": SIMPLE}.get(str(record.get("type", SIMPLE)).lower())
        status = {"active": ACTIVE, "inactive": INACTIVE}.get(str(record.get("status", INACTIVE)).lower())
        if kind is None or status is None:
            raise StateError(f"tenant {name!r}: type has to be complete or simple, status active or inactive")
        created = _time(record.get("created", self._now()))
        tenant = Tenant(
            id=tenant_id,
            name=name,
            description=record.get("description"),
            user_data=record.get("user_data"),
            type=kind,
            status=status,
            created=created,
            updated=_time(record.get("updated", created)),
            preferred_address=record.get("preferred_address"),
        )
        if kind == COMPLETE:
            tenant.server_id = record.get("server_id") or new_id()
            tenant.admin_username = record.get("admin_username") or f"admin-{name}"
        if status == ACTIVE:
            tenant.activations.append([_time(record.get("active_from", created)), None])
        store.add_tenant(tenant)
        for vm in _records(record.get("vms", []), _VM_KEYS, "vms"):
            self._vm(tenant, vm)
        return tenant

    def _vm(self, tenant: Tenant, record: Mapping[str, Any]) -> None:
        bios_id = record.get("bios_id") or new_id()
        if bios_id.lower() in self._store.bios_ids:
            raise StateError(f"there is a virtual machine with the BIOS id {bios_id} already")
        created = _time(record.get("created", tenant.created))
        updated = _time(record.get("updated", created))
        vm_id = record.get("id") or new_id()
        self._store.add_vm(Vm(vm_id, bios_id, record.get("name"), record.get("user_data"), created, updated, tenant))


def _records(value: Any, keys: set[str], what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(record, dict) for record in value):
        raise StateError(f"{what} has to be a list of objects")
    for record in value:
        unknown = set(record) - keys
        if unknown:
            raise StateError(f"unknown in {what}: {', '.join(sorted(unknown))}; known: {', '.join(sorted(keys))}")
    return value


def _time(value: Any) -> float:
    if isinstance(value, str):
        try:
            return parse_date(value)
        except ValueError as problem:
            raise StateError(str(problem)) from problem
    return float(value)


def _uuid(source: random.Random) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4))
