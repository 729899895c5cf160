# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks check for all their hosts together, each of which stands for a tenant or an infrastructure."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleError
from jinja2.exceptions import UndefinedError

from ..module_utils._text import listed, similar_names
from ._role_checks import STATE_FILES, Values, given, role_mistakes, switched
from ._values import is_blank, names, passwords, plain
from ._variables import SVM_ROLES, TENANT_ROLES, wrong_types

ONBOARDING, OFFBOARDING, REPORT = TENANT_ROLES
ROLLOUT = "svm_rollout"
_FILES = {
    ONBOARDING: ("tenant_onboarding_handover_dest", "ksvla_handover_dir"),
    OFFBOARDING: ("tenant_offboarding_report_dest", "ksvla_report_dir"),
    REPORT: ("tenant_report_dest", "ksvla_report_dir"),
}
"""Of each role, the variable that names the file that it writes, and the one that names only the folder."""
_SHOWN_HOSTS, _SHOWN_REMOVALS = 5, 20
_CONTAINER_MARKS = ("/run/.containerenv", "/.dockerenv")
_VANISHING = ("/", "/tmp", "/runner")  # noqa: S108 - where it is mounted, not written to
"""Where a container mounts what vanishes with it; a folder of the machine that stays is mounted somewhere else."""
_BATCH = re.compile("[0-9]+%?")
_OMITTED = "__omit_place_holder__"
"""How the value of ``omit`` begins in ansible-core before 2.19."""
Folders = Iterable[tuple[str, str]]
"""Folders that are written to, each behind the variable that names it."""


@dataclass(frozen=True)
class Kind:
    """What the hosts of a playbook stand for.

    :param variable: The variable that names it, where it is not named like its host.
    :param roles: The roles whose variables the hosts may have.
    :param removed: What is removed of each, before "of", where it is not the thing itself.
    """

    singular: str
    plural: str
    variable: str
    roles: Sequence[str]
    removed: str = ""


TENANTS = Kind("tenant", "tenants", "ksvla_tenant_name", TENANT_ROLES)
INFRASTRUCTURES = Kind("infrastructure", "infrastructures", "infrastructure_name", SVM_ROLES, "SVMs")


@dataclass(frozen=True)
class Host:
    """A host that stands for something on the server, and its variables; reading one that cannot be evaluated raises ``ValueError``."""

    name: str
    values: Values = field(repr=False)
    kind: Kind

    def given(self, variable: str, default: Any = None) -> Any:
        return given(self.values, variable, default)

    def switch(self, variable: str, *, default: bool) -> bool:
        return switched(self.values, variable, default=default)

    @property
    def subject(self) -> str:
        return str(self.given(self.kind.variable, self.name))

    def connection(self, role: str) -> str:
        """Return what tells one Integration Server and account from another."""
        options = self.given(f"{role}_connection", self.given("ksvla_connection", {}))
        return json.dumps([options, self._delegate(role)], sort_keys=True, default=str)

    def is_local(self, role: str) -> bool:
        return self._delegate(role) == "localhost"

    def _delegate(self, role: str) -> str:
        return str(self.given(f"{role}_delegate_to", "localhost"))


class HostVariables(Mapping[str, Any]):
    """Variables as plain values, each of which is evaluated when it is read.

    :param evaluate: Evaluates a value; Ansible's own variables of hosts do that themselves.
    """

    def __init__(self, variables: Mapping[str, Any], evaluate: Callable[[Any], Any] = lambda value: value) -> None:
        self._variables = variables
        self._names = frozenset(map(str, variables))
        self._evaluate = evaluate

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        try:
            value = plain(self._evaluate(self._variables[name]))
        except (AnsibleError, UndefinedError) as error:
            raise ValueError(f"{name} cannot be evaluated: {error}") from None
        if isinstance(value, str) and value.startswith(_OMITTED):
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def check_hosts(hosts: Sequence[Host], role: str, *, deploys: bool = False, writes: bool = True) -> list[str]:
    """Return all mistakes that can be seen without the server, and so before anything is sent for one of the hosts.

    :param deploys: Whether SVMs are to be deployed.
    :param writes: Whether the files of the role are to be written.
    """

    def mistakes(host: Host) -> Iterator[str]:
        yield from doubtful_names(host)
        yield from unclear_batches(host)
        yield from role_mistakes(host.values, role, host.kind.roles, deploys=deploys)
        for each in host.kind.roles if role == ROLLOUT else (role,):
            yield from wrong_types(host.values, each)
        yield from folder_mistakes(written_folders(host, role) if writes else ())

    return [*common(hosts, mistakes), *shared_subjects(hosts, role)]


def check_tenants(hosts: Sequence[Host], role: str, tenants: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return all mistakes that show once the tenants of the hosts' server are known."""
    found = {str(tenant["name"]): tenant for tenant in tenants}
    check = {ONBOARDING: _missing_to_create, OFFBOARDING: _missing_to_remove}.get(role)
    return [f"{host.subject}: {mistake}" for host in hosts if check for mistake in check(host, found)]


def _missing_to_create(host: Host, tenants: Mapping[str, Any]) -> Iterator[str]:
    """Return what the module would refuse: a complete tenant has an account, with a name and a password."""
    kind = host.given("tenant_onboarding_type")
    if host.subject in tenants:
        return
    if kind is None:
        yield (
            f"no tenant has this name.{similar_names(tenants, host.subject)} To create it, say whether it is complete or "
            "simple: as type in ksvla_tenants, or as tenant_onboarding_type."
        )
    if kind == "complete" and host.given("tenant_onboarding_admin_username") is None:
        yield (
            "an account is required for a complete tenant: give admin_username in ksvla_tenants, or "
            "tenant_onboarding_admin_username."
        )
    if kind == "complete" and is_blank(admin_password(host)):
        yield (
            "a password is required for a complete tenant: give it in ksvla_admin_passwords, or as "
            "tenant_onboarding_admin_password."
        )


def _missing_to_remove(host: Host, tenants: Mapping[str, Any]) -> Iterator[str]:
    removes = host.switch("tenant_offboarding_remove", default=True)
    complete = host.subject in tenants and tenants[host.subject].get("type") != "simple"
    if removes and complete and host.given("tenant_offboarding_remove_artifacts") is None:
        yield (
            "tenant_offboarding_remove_artifacts is required to remove a complete tenant. With true, its virtual "
            "Administration Server, account and folder go too. With false they stay, and a tenant of the same name "
            "cannot be created again."
        )


def admin_password(host: Host) -> Any:
    """Return the password of the tenant's administrator account, or None where it is not given."""
    given = host.given("tenant_onboarding_admin_password")
    return passwords(host.given("ksvla_admin_passwords")).get(host.subject) if given is None else given


def doubtful_names(host: Host) -> Iterator[str]:
    """Return why it is not clear which tenant a host stands for."""
    if host.kind is TENANTS and host.given("ksvla_tenant_name") is None and host.given("ansible_port") is not None:
        # Ansible and AWX take what follows a colon in the name of a host for a port.
        port = host.values["ansible_port"]
        yield (
            f"the host has the port {port}, so its tenant may be named '{host.name}:{port}'. Say which tenant is meant with "
            "ksvla_tenant_name."
        )


def unclear_batches(host: Host) -> Iterator[str]:
    """Return why Ansible would not know how many hosts to work on at a time; it says so in a traceback."""
    batches = host.given("ksvla_serial", 0)
    wrong = [each for each in (batches if isinstance(batches, list) else [batches]) if not _BATCH.fullmatch(str(each))]
    if wrong:
        yield f"ksvla_serial must be a number, a percentage such as 10%, or a list of these, not {wrong[0]!r}."


def select(hosts: Sequence[Host], only: Any, kind: Kind) -> tuple[list[Host], list[str]]:
    """Return the hosts whose subjects are named, and the mistakes; all of them where no names are given."""
    if only is None:
        return list(hosts), []
    try:
        wanted = names(only, "ksvla_only")
    except ValueError as error:
        return [], [str(error)]
    known = {name for host in hosts for name in (host.subject, host.name)}
    unknown = [name for name in wanted if name not in known]
    mistakes = [] if wanted else ["ksvla_only is empty: give names, or leave the variable out."]
    if unknown:
        hint = similar_names(sorted({host.subject for host in hosts}), unknown[0])
        if {part.strip() for part in unknown[0].split(",")} <= known:
            hint = " Give several names as a list, or as a text with one name per line; a comma is part of a name."
        mistakes.append(
            f"ksvla_only: {', '.join(map(repr, unknown))} {'is' if len(unknown) == 1 else 'are'} not among the "
            f"{len(hosts)} {kind.singular if len(hosts) == 1 else kind.plural} here.{hint}"
        )
    return [host for host in hosts if host.subject in wanted or host.name in wanted], mistakes


def unnamed_removals(hosts: Sequence[Host], *, limited: bool) -> Iterator[str]:
    """Return why nothing is removed of these hosts: nothing names them.

    :param limited: Whether the user gave Ansible a limit.
    """
    only = any("ksvla_only" in host.values for host in hosts)
    everything = any(host.switch("ksvla_all", default=False) for host in hosts)
    if only and everything:
        yield "ksvla_only and ksvla_all cannot be given together."
    if hosts and not (limited or only or everything):
        kind = hosts[0].kind
        what = kind.removed or kind.plural
        subjects = listed([repr(host.subject) for host in hosts], _SHOWN_REMOVALS)
        yield (
            f"{what[:1].upper()}{what[1:]} to remove must be named: give a limit, or "
            f"{f'names of {kind.plural}' if kind.removed else 'their names'} in ksvla_only, or ksvla_all: true. This would "
            f"remove {f'{kind.removed} of ' if kind.removed else ''}{len(hosts)} "
            f"{kind.singular if len(hosts) == 1 else kind.plural}: {subjects}."
        )


def shared_subjects(hosts: Sequence[Host], role: str) -> Iterator[str]:
    """Return a sentence for each host that stands for the same thing on the same server as another."""
    first: dict[tuple[str, str], str] = {}
    for host in hosts:
        other = first.setdefault((host.subject, host.connection(role)), host.name)
        if other != host.name:
            kind = host.kind.singular
            yield f"{host.name} and {other} are both for the {kind} {host.subject!r}. Give each {kind} only one host."


def written_folders(host: Host, role: str) -> Iterator[tuple[str, str]]:
    """Return the folder that the role writes to on this machine, if any, behind the variable that says so."""
    if role == ROLLOUT:
        variable = next((name for name in STATE_FILES if host.given(name) is not None), None)
        if variable is not None:
            # The file itself where the path is a link, as the module does it.
            yield variable, os.path.dirname(os.path.realpath(os.path.expanduser(str(host.given(variable)))))
    elif host.is_local(role):
        file, folder = _FILES[role]
        if host.given(file) is not None:
            yield file, folder_of(host.given(file))
        elif host.given(folder) is not None:
            yield folder, os.path.abspath(os.path.expanduser(str(host.given(folder))))


def folder_of(file: Any) -> str:
    """Return the folder of a file of the user on this machine."""
    return os.path.dirname(os.path.abspath(os.path.expanduser(str(file))))


def vanishing_folders(hosts: Sequence[Host], role: str) -> list[str]:
    """Return a warning for each folder whose files no one would find after the run."""
    return common(hosts, lambda host: vanishing_files(written_folders(host, role)))


def folder_mistakes(folders: Folders) -> Iterator[str]:
    """Return why files cannot be written into these folders."""
    for variable, folder in folders:
        if not os.path.isdir(folder):
            yield f"{variable}: the folder {folder} does not exist."
        elif not os.access(folder, os.W_OK | os.X_OK):
            yield f"{variable}: the folder {folder} cannot be written to."


def vanishing_files(folders: Folders) -> Iterator[str]:
    """Return a warning where the files of a folder vanish with the container of a job, such as one of AWX."""
    if not os.environ.get("JOB_ID") and not any(map(os.path.exists, _CONTAINER_MARKS)):
        return
    for variable, folder in folders:
        mount = os.path.realpath(folder)
        while not os.path.ismount(mount):
            mount = os.path.dirname(mount)
        if mount in _VANISHING:
            yield (
                f"{variable}: what is written to {folder} vanishes with the container of this job. Name a folder that "
                "stays: a path that AWX exposes to jobs (Settings > Jobs), or a volume of the pod."
            )


def by_connection(hosts: Sequence[Host], role: str) -> list[list[Host]]:
    """Return the hosts in groups, one for each Integration Server and account."""
    groups: dict[str, list[Host]] = {}
    for host in hosts:
        groups.setdefault(host.connection(role), []).append(host)
    return list(groups.values())


def common(hosts: Sequence[Host], check: Callable[[Host], Iterable[str]]) -> list[str]:
    """Return what a check finds, once for all hosts that it finds it for, with their names unless these are all."""
    places: dict[str, list[str]] = {}
    for host in hosts:
        try:
            for mistake in check(host):
                places.setdefault(mistake, []).append(host.name)
        except ValueError as error:
            places.setdefault(str(error), []).append(host.name)
    return [
        mistake if len(names_of_hosts) == len(hosts) > 1 else f"{listed(names_of_hosts, _SHOWN_HOSTS)}: {mistake}"
        for mistake, names_of_hosts in places.items()
    ]
