# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked for all hosts of a tenants' playbook, before anything is sent for one of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..module_utils._text import similar_names
from ._preflight import Host, Kind, common, folder_mistakes, folder_of, shared_subjects, vanishing_files
from ._values import is_blank, passwords
from ._variables import blank_variables, unknown_variables, wrong_types

TENANTS = Kind("tenant", "tenants", "ksvla_tenant_name")
ONBOARDING, OFFBOARDING, REPORT = ROLES = ("tenant_onboarding", "tenant_offboarding", "tenant_report")
NEVER_BLANK = {
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

Tenants = Sequence[Mapping[str, Any]]


def check_variables(hosts: Sequence[Host], role: str) -> list[str]:
    """Return all mistakes that can be seen without the server."""
    return [
        *common(hosts, lambda host: unknown_variables(host.values, ROLES)),
        *common(hosts, lambda host: blank_variables(host.values, NEVER_BLANK[role])),
        *common(hosts, lambda host: wrong_types(host.values, role)),
        *common(hosts, doubtful_names),
        *shared_subjects(hosts, role),
        *common(hosts, lambda host: folder_mistakes(_folders(host, role))),
        *(common(hosts, _missing_report_files) if role == OFFBOARDING else ()),
        *(common(hosts, _unclear_month) if role == REPORT else ()),
        *(_account_mistakes(hosts) if role == ONBOARDING else ()),
    ]


def check_tenants(hosts: Sequence[Host], role: str, tenants: Tenants) -> list[str]:
    """Return all mistakes that show once the tenants of the hosts' server are known."""
    found = {str(tenant["name"]): tenant for tenant in tenants}
    if role == ONBOARDING:
        new = [host for host in hosts if host.subject not in found]
        return [
            f"{host.subject}: no tenant has this name.{similar_names(found, host.subject)} To create it, "
            "tenant_onboarding_type is required: complete or simple."
            for host in new
            if host.given("tenant_onboarding_type") is None
        ]
    if role == OFFBOARDING:
        return [mistake for host in hosts for mistake in _missing_to_remove(host, found.get(host.subject))]
    return []


def doubtful_names(host: Host) -> Iterator[str]:
    """Return why it is not clear which tenant a host stands for."""
    if host.values.get("ksvla_tenant_name") is None and host.values.get("ansible_port") is not None:
        # Ansible and AWX take what follows a colon in the name of a host for a port.
        port = host.values["ansible_port"]
        yield (
            f"the host has the port {port}, so its tenant may be named '{host.name}:{port}'. Say which tenant is meant with "
            "ksvla_tenant_name."
        )


def file_warnings(hosts: Sequence[Host], role: str) -> list[str]:
    """Return a warning for each folder whose files no one would find after the run."""
    return common(hosts, lambda host: vanishing_files(_folders(host, role)))


def _folders(host: Host, role: str) -> Iterator[tuple[str, str]]:
    """Return the folder that the role writes to, if any, and the variable that says so."""
    if not host.is_local(role):
        return
    folder, file = host.given(_FOLDERS[role]), host.given(_FILES[role])
    if file is not None:
        yield _FILES[role], folder_of(file)
    elif folder is not None:
        yield _FOLDERS[role], os.path.abspath(os.path.expanduser(str(folder)))


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


def admin_password(host: Host) -> Any:
    """Return the password of the tenant's administrator account, or None where it is not given."""
    given = host.given("tenant_onboarding_admin_password")
    return passwords(host.given("ksvla_admin_passwords")).get(host.subject) if given is None else given


def _account_mistakes(hosts: Sequence[Host]) -> list[str]:
    unreadable = common(hosts, lambda host: passwords(host.given("ksvla_admin_passwords")) and ())
    return unreadable or [f"{host.subject}: {missing}" for host in hosts for missing in _missing_account(host)]


def _missing_account(host: Host) -> Iterator[str]:
    """Return what the module would refuse: a complete tenant has an account, with a name and a password."""
    if host.given("tenant_onboarding_type") != "complete":
        return
    if host.given("tenant_onboarding_admin_username") is None:
        yield "tenant_onboarding_admin_username is required for a complete tenant."
    if is_blank(admin_password(host)):
        yield (
            "a password is required for a complete tenant: give it in ksvla_admin_passwords, or as "
            "tenant_onboarding_admin_password."
        )


def _missing_to_remove(host: Host, tenant: Mapping[str, Any] | None) -> Iterator[str]:
    removes = host.switch("tenant_offboarding_remove", default=True)
    complete = tenant is not None and tenant.get("type") != "simple"
    if removes and complete and host.given("tenant_offboarding_remove_artifacts") is None:
        yield (
            f"{host.subject}: tenant_offboarding_remove_artifacts is required to remove a complete tenant. With true, its "
            "virtual Administration Server, account and folder go too. With false they stay, and a tenant of the same name "
            "cannot be created again."
        )
