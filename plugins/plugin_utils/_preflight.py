# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the playbooks check for all their hosts together, whatever the hosts stand for."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from jinja2.exceptions import UndefinedError

from ..module_utils._text import listed, similar_names
from ._values import is_blank, names, plain

_SHOWN_HOSTS, _SHOWN_REMOVALS = 5, 20
_CONTAINER_MARKS = ("/run/.containerenv", "/.dockerenv")
_VANISHING = ("/", "/tmp", "/runner")  # noqa: S108 - where it is mounted, not written to
"""Where a container mounts what vanishes with it; a folder of the machine that stays is mounted somewhere else."""
_OMITTED = "__omit_place_holder__"
"""How the value of ``omit`` begins in ansible-core before 2.19."""

Values = Mapping[str, Any]
Folders = Iterable[tuple[str, str]]
"""Folders that are written to, each behind the variable that names it."""


@dataclass(frozen=True)
class Kind:
    """What the hosts of a playbook stand for.

    :param removed: What is removed of each, before "of", where it is not the thing itself.
    :param variable: The variable that names it, where it is not named like its host.
    """

    singular: str
    plural: str
    variable: str
    removed: str = ""


@dataclass(frozen=True)
class Host:
    """A host that stands for something on the server, and its variables; reading one that cannot be evaluated raises ``ValueError``."""

    name: str
    values: Values = field(repr=False)
    kind: Kind

    def given(self, variable: str, default: Any = None) -> Any:
        """Return the value of a variable, or the default where it is blank or not given."""
        value = self.values.get(variable)
        return default if is_blank(value) else value

    def switch(self, variable: str, *, default: bool) -> bool:
        return bool(boolean(self.given(variable, default), strict=False))

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
    """The variables of a host, as plain values. Ansible evaluates one when it is read."""

    def __init__(self, host_variables: Mapping[str, Any]) -> None:
        self._variables = host_variables
        self._names = frozenset(map(str, host_variables))

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        try:
            value = plain(self._variables[name])
        except (AnsibleError, UndefinedError) as error:
            raise ValueError(f"{name} cannot be evaluated: {error}") from None
        omitted = isinstance(value, str) and value.startswith(_OMITTED)
        return None if omitted else value

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def hosts_of_play(variables: Mapping[str, Any], kind: Kind) -> list[Host]:
    return [
        Host(str(name), HostVariables(variables["hostvars"][name]), kind)
        for name in variables["ansible_play_hosts_all"]
    ]


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


def unnamed_removals(hosts: Sequence[Host], kind: Kind, *, limited: bool) -> Iterator[str]:
    """Return why nothing is removed of these hosts: nothing names them.

    :param limited: Whether the user gave Ansible a limit.
    """
    only = any("ksvla_only" in host.values for host in hosts)
    everything = any(host.switch("ksvla_all", default=False) for host in hosts)
    if only and everything:
        yield "ksvla_only and ksvla_all cannot be given together."
    if hosts and not (limited or only or everything):
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
            yield f"{host.name}: the {kind} {host.subject!r} is the one of {other} too. Give each {kind} one host."


def folder_of(file: Any) -> str:
    """Return the folder of a file of the user on this machine."""
    return os.path.dirname(os.path.abspath(os.path.expanduser(str(file))))


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
            found = list(check(host))
        except ValueError as error:
            found = [str(error)]
        for mistake in found:
            places.setdefault(mistake, []).append(host.name)
    return [
        mistake if len(names_of_hosts) == len(hosts) > 1 else f"{listed(names_of_hosts, _SHOWN_HOSTS)}: {mistake}"
        for mistake, names_of_hosts in places.items()
    ]
