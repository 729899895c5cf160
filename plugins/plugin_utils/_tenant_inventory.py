# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an inventory, made from tenants, their virtual machines, and SVMs: what they are called, and their variables."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..module_utils._api.multitenancy.records import Tenant, VirtualMachine
from ..module_utils._module import arguments

try:
    # Since ansible-core 2.19, text from a plugin is not templated unless it is marked as trusted, and the inventory as JSON
    # shows which texts are trusted.
    from ansible.template import trust_as_template as _as_word
except ImportError:
    # Before, every text is a template unless it is marked as unsafe, which the JSON shows.
    from ansible.utils.unsafe_proxy import wrap_var as _as_text

    def _as_word(value: str) -> str:
        return value
else:

    def _as_text(value: Any) -> Any:
        return value


_ADMIN = {f"admin_{name}": spec for name, spec in arguments.svm_management_account().items() if name != "access_token"}
OPTIONS: arguments.Options = {
    **arguments.connection(),
    **arguments.multitenancy_account(),
    **_ADMIN,
    "access_token": {"type": "str", "no_log": True},
    "vms": {"type": "str", "choices": ["none", "count", "hosts"], "default": "none"},
    "concurrency": {"type": "int", "default": 8},
    "infrastructure_ids": {"type": "dict", "default": {}},
    "svm_state_file": {"type": "path"},
}
"""The options of the plugin, without those of Ansible for composed variables and for the cache."""

TENANTS, VMS, SVMS = "tenants", "vms", "svms"
"""The groups, by what their hosts stand for."""
_TENANT, _VM, _SVM = "ksvla_tenant_", "ksvla_vm_", "ksvla_svm_"
_SVM_FIELDS = (
    *("name", "id", "state", "version", "location_name", "location_id"),
    *(f"infrastructure_{name}" for name in ("name", "id", "type", "address")),
)
VARIABLES = frozenset(
    (
        *(f"{_TENANT}{field.name}" for field in fields(Tenant)),
        f"{_TENANT}vm_count",
        *(f"{_VM}{field.name}" for field in fields(VirtualMachine)),
        f"{_VM}tenant_name",
        f"{_VM}tenant_id",
        *(f"{_SVM}{name}" for name in _SVM_FIELDS),
    )
)
"""The variables that the hosts have."""
_RESERVED = frozenset({"all", "ungrouped", "localhost", "127.0.0.1", "::1"})
_WORDS = ("id", "bios_id", "state", "status", "type")
"""What other programs read in the inventory, as AWX does for ``enabled_var`` and ``instance_id_var``."""
_WORD = re.compile(r"[A-Za-z0-9_-]*")
_NOT_IN_NAMES = re.compile(r"[^\w.-]+")
_NOT_IN_GROUPS = re.compile(r"[^A-Za-z0-9_]+")

Records = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Host:
    """A host to be added to the inventory.

    :param id: What it is called where its name cannot be used.
    """

    id: str
    name: str
    groups: tuple[str, ...]
    variables: dict[str, Any]


def tenant_hosts(tenants: Records) -> Iterator[Host]:
    """Return a host of each tenant."""
    for tenant in tenants:
        known = {name: value for name, value in tenant.items() if name != "vms"}
        words = (f"{name}_{_NOT_IN_GROUPS.sub('_', known[name])}" for name in ("status", "type") if known.get(name))
        yield Host(known["id"], known["name"], (TENANTS, *words), _variables(_TENANT, known))


def vm_hosts(tenants: Records) -> Iterator[Host]:
    """Return a host of each virtual machine. Its name ends with that of its tenant, as few are unique without."""
    for tenant in tenants:
        owner = {"tenant_name": tenant["name"], "tenant_id": tenant["id"]}
        for vm in tenant["vms"]:
            name = f"{vm['name']}.{_cleaned(tenant['name'])}" if vm["name"] else ""
            yield Host(vm["bios_id"], name, (VMS,), _variables(_VM, {**vm, **owner}))


def svm_hosts(name: str, found: Mapping[str, Any], places: Records) -> Iterator[Host]:
    """Return a host of each SVM of an infrastructure.

    :param name: How the user calls the infrastructure.
    :param found: The infrastructure with its SVMs, as ``ksvla_infrastructure_info`` returns them.
    :param places: Its hypervisors or projects.
    """
    names = {place.get("id"): place.get("name") for place in places}
    infrastructure = {f"infrastructure_{key}": found["infrastructure"].get(key) for key in ("id", "type", "address")}
    for svm in found["vms"]:
        known = {
            "name": svm.get("name"),
            "id": svm.get("id"),
            "state": svm.get("state"),
            "version": svm.get("svm_version"),
            "location_name": names.get(svm.get("parent_id")),
            "location_id": svm.get("parent_id"),
            "infrastructure_name": name,
            **infrastructure,
        }
        yield Host(str(svm.get("id")), str(svm.get("name") or ""), (SVMS,), _variables(_SVM, known))


def named(hosts: Iterable[Host], taken: Collection[str]) -> Iterator[tuple[str, Host]]:
    """Return each host with a name that is safe in patterns, and that nothing else has.

    Where several would be called the same, each is called by its id: a name never means now one and now another of them.

    :param taken: Names of groups and of other hosts.
    """
    hosts = list(hosts)
    cleaned = [_cleaned(host.name) for host in hosts]
    counts = Counter(cleaned)
    occupied = {*taken, *counts}
    for host, name in zip(hosts, cleaned, strict=True):
        usable = name and counts[name] == 1 and name.lower() not in _RESERVED and name not in taken
        yield name if usable else by_id(host, occupied), host


def by_id(host: Host, occupied: set[str]) -> str:
    """Return the name of a host that is called by its id, and add it to those that are occupied."""
    name = _cleaned(host.id)
    while name in occupied:
        name += "_"
    occupied.add(name)
    return name


def _cleaned(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", unicodedata.normalize("NFC", name)).strip("_.-")


def _variables(prefix: str, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return variables whose texts Ansible never evaluates, as templates or as conditions.

    In the inventory as JSON, such a text is marked. Words that are the same when they are evaluated stay plain text.
    """
    return {
        f"{prefix}{name}": _as_word(value)
        if name in _WORDS and isinstance(value, str) and _WORD.fullmatch(value)
        else _as_text(value)
        for name, value in known.items()
    }
