# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the tenants of a list or an inventory to the arguments of ``ksvla_fleet``, with all mistakes."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ._preflight import (
    ONBOARDING,
    TENANTS,
    Host,
    admin_password,
    check_hosts,
    folder_mistakes,
    folder_of,
    select,
    vanishing_files,
)
from ._role_checks import Values, role_mistakes
from ._values import is_blank
from ._variables import TENANT_ROLES, blank_variables, wrong_types

_OF_TENANT = ("type", "description", "user_data", "preferred_viis_address", "admin_username")
_OF_ALL = {
    "purge_vms": "purge",
    "reregister": "reregister",
    "immutable_changes": "immutable_changes",
    "concurrency": "concurrency",
    "wait_timeout": "wait_timeout",
}
"""Options that the fleet has once, by the variable of the role that a tenant has."""
_BESIDE = ("ksvla_connection", "ksvla_max_unregistrations", f"{ONBOARDING}_connection", f"{ONBOARDING}_delegate_to")
REPORT_ENDINGS = (".md", ".json")


def hosts_of_list(records: Sequence[Mapping[str, Any]], shared: Values) -> list[Host]:
    """Return a host for each tenant of a list.

    :param shared: The variables that hold for all of them.
    """
    return [
        Host(
            str(record["name"]),
            ChainMap(
                {TENANTS.variable: record["name"], **{f"{ONBOARDING}_{key}": value for key, value in record.items()}},
                shared,  # type: ignore[arg-type]
            ),
            TENANTS,
        )
        for record in records
    ]


def mistakes_of(hosts: Sequence[Host], shared: Values, *, listed: bool) -> list[str]:
    """Return all mistakes that can be seen without the server.

    :param shared: The variables of the host that runs the playbook.
    :param listed: Whether the tenants are those of a list, which was checked already.
    """
    only = shared.get("ksvla_only")
    _selected, mistakes = select(hosts, None if is_blank(only) else only, TENANTS)
    mistakes.extend(role_mistakes(shared, ONBOARDING, TENANT_ROLES))
    mistakes.extend(blank_variables(shared, ("ksvla_only", "ksvla_hosts")))
    mistakes.extend(_report_mistakes(shared))
    if listed:
        mistakes.extend(wrong_types(shared, ONBOARDING))
    else:
        mistakes.extend(check_hosts(hosts, ONBOARDING, writes=False))
        mistakes.extend(_different(hosts))
    return list(dict.fromkeys(mistakes))


def options_of(first: Host, shared: Values) -> dict[str, Any]:
    """Return the options of the module beside the tenants, without what is not given.

    :param first: A host with the variables that hold for all tenants.
    """
    options = {option: first.given(f"{ONBOARDING}_{variable}") for option, variable in _OF_ALL.items()}
    options["max_unregistrations"] = first.given("ksvla_max_unregistrations")
    return {
        **first.given(f"{ONBOARDING}_connection", first.given("ksvla_connection", {})),
        **{option: value for option, value in options.items() if value is not None},
        # Of a selection, all others would be tenants that are not listed.
        "unlisted": "ignore" if "ksvla_only" in shared else "report",
    }


def tenants_of(hosts: Sequence[Host], shared: Values) -> list[dict[str, Any]]:
    """Return the tenants for the module, of those that are selected; nothing that is not given."""
    selected, _mistakes = select(hosts, shared.get("ksvla_only"), TENANTS)
    return [_tenant(host) for host in selected]


def _tenant(host: Host) -> dict[str, Any]:
    options = {option: host.given(f"{ONBOARDING}_{option}") for option in _OF_TENANT}
    tenant = {"name": host.subject, **{option: value for option, value in options.items() if value is not None}}
    password = admin_password(host)
    # Where a simple tenant has one, it is one of the passwords that are given for all.
    if not is_blank(password) and tenant.get("type") != "simple":
        tenant["admin_password"] = password
    if host.switch(f"{ONBOARDING}_activate", default=True):
        tenant["status"] = "active"
    if f"{ONBOARDING}_vms" in host.values:
        tenant["vms"] = host.values[f"{ONBOARDING}_vms"]
    return tenant


def _different(hosts: Sequence[Host]) -> Iterator[str]:
    """Return which variables differ between hosts although the fleet has them once."""
    for variable in (*(f"{ONBOARDING}_{name}" for name in _OF_ALL.values()), *_BESIDE):
        first: dict[str, str] = {}
        for host in hosts:
            first.setdefault(json.dumps(host.given(variable), sort_keys=True, default=str), host.name)
        if len(first) > 1:
            one, other = list(first.values())[:2]
            yield f"{variable} differs between {one} and {other}. One task reconciles all tenants, so all need the same value."


def _report_mistakes(shared: Values) -> Iterator[str]:
    report = shared.get("ksvla_drift_report")
    if not is_blank(report) and not str(report).endswith(REPORT_ENDINGS):
        yield f"ksvla_drift_report must end with {' or '.join(REPORT_ENDINGS)}, not {report!r}."
    yield from folder_mistakes(_report_folder(shared))


def file_warnings(shared: Values) -> list[str]:
    """Return a warning where no one would find the drift report after the run."""
    return list(vanishing_files(_report_folder(shared)))


def _report_folder(shared: Values) -> list[tuple[str, str]]:
    report = shared.get("ksvla_drift_report")
    return [] if is_blank(report) else [("ksvla_drift_report", folder_of(report))]
