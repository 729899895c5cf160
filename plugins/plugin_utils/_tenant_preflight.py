# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked for all hosts of a tenants' playbook, before anything is sent for one of them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.find import did_you_mean, predicted_tenant
from ansible_collections.ksvla.light_agent.plugins.module_utils._validation import administrator_password_advice
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._lists import is_blank, names, passwords
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._variables import (
    blank_variables,
    unknown_variables,
    wrong_types,
)

ONBOARDING, OFFBOARDING, REPORT = ROLES = ("tenant_onboarding", "tenant_offboarding", "tenant_report")
_NEVER_BLANK = {
    ONBOARDING: ("ksvla_tenant_name", "tenant_onboarding_vms", "tenant_onboarding_vms.bios_id"),
    OFFBOARDING: ("ksvla_tenant_name", "tenant_offboarding_period_start", "tenant_offboarding_period_end"),
    REPORT: ("ksvla_tenant_name", "tenant_report_period_start", "tenant_report_period_end"),
}
"""What selects something: leaving it out means something wider."""
_FOLDERS = {ONBOARDING: "ksvla_handover_dir", OFFBOARDING: "ksvla_report_dir", REPORT: "ksvla_report_dir"}
_FILES = {
    ONBOARDING: "tenant_onboarding_handover_dest",
    OFFBOARDING: "tenant_offboarding_report_dest",
    REPORT: "tenant_report_dest",
}
_SHOWN_HOSTS, _SHOWN_VICTIMS = 5, 20

Values = Mapping[str, Any]
Tenants = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Host:
    """A host that stands for a tenant, and its variables; reading one that cannot be evaluated raises ``ValueError``."""

    name: str
    values: Values = field(repr=False)

    def given(self, variable: str, default: Any = None) -> Any:
        """Return the value of a variable, or the default where it is blank or not given."""
        value = self.values.get(variable)
        return default if is_blank(value) else value

    def switch(self, variable: str, *, default: bool) -> bool:
        """Return the value of a variable that is true or false."""
        return bool(boolean(self.given(variable, default), strict=False))

    @property
    def tenant(self) -> str:
        """The name of its tenant."""
        return str(self.given("ksvla_tenant_name", self.name))

    def connection(self, role: str) -> str:
        """Return what tells one Integration Server and account from another."""
        options = self.given(f"{role}_connection", self.given("ksvla_connection", {}))
        return json.dumps([options, self._delegate(role)], sort_keys=True, default=str)

    def is_local(self, role: str) -> bool:
        """Return whether the files of the role are written where Ansible runs."""
        return self._delegate(role) == "localhost"

    def _delegate(self, role: str) -> str:
        return str(self.given(f"{role}_delegate_to", "localhost"))


def check_variables(hosts: Sequence[Host], role: str) -> list[str]:
    """Return all mistakes that can be seen without the server."""
    return [
        *_common(hosts, lambda host: unknown_variables(host.values, ROLES)),
        *_common(hosts, lambda host: blank_variables(host.values, _NEVER_BLANK[role])),
        *_common(hosts, lambda host: wrong_types(host.values, role)),
        *_common(hosts, _doubtful_names),
        *_shared_tenants(hosts, role),
        *_common(hosts, lambda host: _missing_folders(host, role)),
        *(_common(hosts, _missing_report_files) if role == OFFBOARDING else ()),
        *(_common(hosts, _unclear_month) if role == REPORT else ()),
        *(_account_mistakes(hosts) if role == ONBOARDING else ()),
    ]


def select(hosts: Sequence[Host], only: Any) -> tuple[list[Host], list[str]]:
    """Return the hosts whose tenants are named, and the mistakes; all of them where no names are given."""
    if only is None:
        return list(hosts), []
    try:
        wanted = names(only, "ksvla_only")
    except ValueError as error:
        return [], [str(error)]
    known = {name for host in hosts for name in (host.tenant, host.name)}
    unknown = [name for name in wanted if name not in known]
    mistakes = [] if wanted else ["ksvla_only is empty: give names, or leave the variable out."]
    if unknown:
        there = [predicted_tenant(name) for name in sorted({host.tenant for host in hosts})]
        hint = did_you_mean(there, unknown[0])
        if {part.strip() for part in unknown[0].split(",")} <= known:
            hint = " Give several names as a list, or as a text with one name per line; a comma is part of a name."
        mistakes.append(
            f"ksvla_only: {', '.join(map(repr, unknown))} {'is' if len(unknown) == 1 else 'are'} not among the "
            f"{len(hosts)} tenants here.{hint}"
        )
    return [host for host in hosts if host.tenant in wanted or host.name in wanted], mistakes


def unnamed_victims(hosts: Sequence[Host], *, limited: bool) -> Iterator[str]:
    """Return why these tenants are not removed: nothing names them.

    :param limited: Whether the user gave Ansible a limit.
    """
    only = any("ksvla_only" in host.values for host in hosts)
    everything = any(host.switch("ksvla_all", default=False) for host in hosts)
    if only and everything:
        yield "ksvla_only and ksvla_all cannot be given together."
    if hosts and not (limited or only or everything):
        tenants = _listed([repr(host.tenant) for host in hosts], _SHOWN_VICTIMS)
        yield (
            "Tenants to remove must be named: give a limit, or their names in ksvla_only, or ksvla_all: true. This would "
            f"remove {len(hosts)} {'tenant' if len(hosts) == 1 else 'tenants'}: {tenants}."
        )


def by_connection(hosts: Sequence[Host], role: str) -> list[list[Host]]:
    """Return the hosts in groups, one for each Integration Server and account."""
    groups: dict[str, list[Host]] = {}
    for host in hosts:
        groups.setdefault(host.connection(role), []).append(host)
    return list(groups.values())


def check_tenants(hosts: Sequence[Host], role: str, tenants: Tenants) -> list[str]:
    """Return all mistakes that show once the tenants of the hosts' server are known."""
    found = {str(tenant["name"]): tenant for tenant in tenants}
    if role == ONBOARDING:
        similar = [predicted_tenant(name) for name in found]
        new = [host for host in hosts if host.tenant not in found]
        return [
            f"{host.tenant}: no tenant has this name.{did_you_mean(similar, host.tenant)} To create it, "
            "tenant_onboarding_type is required: complete or simple."
            for host in new
            if host.given("tenant_onboarding_type") is None
        ]
    if role == OFFBOARDING:
        return [mistake for host in hosts for mistake in _missing_to_remove(host, found.get(host.tenant))]
    return []


def password_warnings(hosts: Sequence[Host], tenants: Tenants) -> list[str]:
    """Return a warning for each password of a new tenant that Kaspersky Security Center may refuse."""
    found = {tenant["name"] for tenant in tenants}
    new = [(host.tenant, _admin_password(host)) for host in hosts if host.tenant not in found]
    advice = [
        administrator_password_advice(str(password), f"the administrator password of {name!r}")
        for name, password in new
        if not is_blank(password)
    ]
    return [text for text in advice if text is not None]


def _common(hosts: Sequence[Host], check: Callable[[Host], Iterable[str]]) -> list[str]:
    """Return what a check finds, once for all hosts that it finds it for, with their names unless these are all."""
    places: dict[str, list[str]] = {}
    for host in hosts:
        try:
            found = list(check(host))
        except ValueError as error:
            found = [str(error)]
        for mistake in found:
            places.setdefault(mistake, []).append(host.name)
    return [
        mistake if len(names_of_hosts) == len(hosts) > 1 else f"{_listed(names_of_hosts)}: {mistake}"
        for mistake, names_of_hosts in places.items()
    ]


def _listed(names_of_hosts: Sequence[str], shown: int = _SHOWN_HOSTS) -> str:
    more = len(names_of_hosts) - shown
    return ", ".join(names_of_hosts[:shown]) + (f" and {more} more" if more > 0 else "")


def _doubtful_names(host: Host) -> Iterator[str]:
    if host.values.get("ksvla_tenant_name") is None and host.values.get("ansible_port") is not None:
        # Ansible and AWX take what follows a colon in the name of a host for a port.
        port = host.values["ansible_port"]
        yield (
            f"the host has the port {port}, so its tenant may be named '{host.name}:{port}'. Say which tenant is meant with "
            "ksvla_tenant_name."
        )


def _shared_tenants(hosts: Sequence[Host], role: str) -> Iterator[str]:
    first: dict[tuple[str, str], str] = {}
    for host in hosts:
        other = first.setdefault((host.tenant, host.connection(role)), host.name)
        if other != host.name:
            yield f"{host.name}: the tenant {host.tenant!r} is the one of {other} too. Give each tenant one host."


def _missing_folders(host: Host, role: str) -> Iterator[str]:
    if not host.is_local(role):
        return
    folder, file = host.given(_FOLDERS[role]), host.given(_FILES[role])
    if file is not None:
        yield from _folder_mistakes(_FILES[role], os.path.dirname(os.path.abspath(os.path.expanduser(str(file)))))
    elif folder is not None:
        yield from _folder_mistakes(_FOLDERS[role], os.path.abspath(os.path.expanduser(str(folder))))


def _folder_mistakes(variable: str, folder: str) -> Iterator[str]:
    if not os.path.isdir(folder):
        yield f"{variable}: there is no folder {folder}."
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield f"{variable}: the folder {folder} cannot be written to."


def _missing_report_files(host: Host) -> Iterator[str]:
    wanted = host.switch("tenant_offboarding_report", default=True)
    if wanted and host.given("tenant_offboarding_report_dest") is None and host.given("ksvla_report_dir") is None:
        yield (
            "the final report needs a file: give ksvla_report_dir or tenant_offboarding_report_dest, or set "
            "tenant_offboarding_report to false."
        )


def _unclear_month(host: Host) -> Iterator[str]:
    month = str(host.given("tenant_report_month", host.given("ksvla_report_month", "last")))
    if not re.fullmatch("last|[0-9]{4}-(0[1-9]|1[0-2])", month):
        yield f"ksvla_report_month (or tenant_report_month) is 'last' or a month such as 2026-01, not {month!r}."


def _admin_password(host: Host) -> Any:
    given = host.given("tenant_onboarding_admin_password")
    return passwords(host.given("ksvla_admin_passwords")).get(host.tenant) if given is None else given


def _account_mistakes(hosts: Sequence[Host]) -> list[str]:
    unreadable = _common(hosts, _unreadable_passwords)
    return unreadable or [f"{host.tenant}: {missing}" for host in hosts for missing in _missing_account(host)]


def _unreadable_passwords(host: Host) -> Iterator[str]:
    try:
        passwords(host.given("ksvla_admin_passwords"))
    except ValueError as error:
        yield str(error)


def _missing_account(host: Host) -> Iterator[str]:
    """Return what the module would refuse: a complete tenant has an account, with a name and a password."""
    if host.given("tenant_onboarding_type") != "complete":
        return
    if host.given("tenant_onboarding_admin_username") is None:
        yield "tenant_onboarding_admin_username is required for a complete tenant."
    if is_blank(_admin_password(host)):
        yield (
            "a password is required for a complete tenant: give it in ksvla_admin_passwords, or as "
            "tenant_onboarding_admin_password."
        )


def _missing_to_remove(host: Host, tenant: Mapping[str, Any] | None) -> Iterator[str]:
    removes = host.switch("tenant_offboarding_remove", default=True)
    complete = tenant is not None and tenant.get("type") != "simple"
    if removes and complete and host.given("tenant_offboarding_remove_artifacts") is None:
        yield (
            f"{host.tenant}: tenant_offboarding_remove_artifacts is required to remove a complete tenant. With true, its "
            "virtual Administration Server, account and folder go too. With false they stay, and a tenant of the same name "
            "cannot be created again."
        )
