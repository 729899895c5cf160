# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is checked for all hosts of an SVM playbook, before anything is sent for one of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._errors import InputError
from ..module_utils._state.state_file.pool import read_given, read_pool
from ._infrastructure_list import ROLES
from ._preflight import Host, Kind, common, folder_mistakes, shared_subjects, vanishing_files
from ._values import is_blank, names
from ._variables import blank_variables, named_for_role, unknown_variables, wrong_types

INFRASTRUCTURES = Kind("infrastructure", "infrastructures", "infrastructure_name", "SVMs")
ENTRY_POINTS = ("main", "reconfigure", "remove")
_PLACES = ("name", "svm_id", "infrastructure_id", "location")
_NEVER_BLANK = (
    *(f"infrastructure_{name}" for name in ("name", "id", "type", "address", "region")),
    *(f"svm_image_{name}" for name in ("id", "manifest_path", "infrastructure_types")),
    "svm_rollout_hypervisors",
    "svm_rollout_svms",
    *(f"svm_rollout_svms.{name}" for name in _PLACES),
    *(f"svm_rollout_template.{name}" for name in _PLACES),
)
"""What selects something: leaving it out means something wider."""
_OPTIONS = ("image_id", "localization", "skip_integrity_check", "state", "svms", "threads_count", "all_with_name")
SVM_VARIABLES: Mapping[str, Any] = {
    "svm_rollout_template": {},
    "svm_rollout_svms": [],
    "svm_rollout_per_hypervisor": False,
    "svm_rollout_address_pool": [],
}
"""Of what the role makes SVMs, each with its default."""
_LATER = "known-later"
"""Stands for an id that the server gives."""
_STATE_FILES = ("svm_rollout_state_file", "ksvla_svm_state_file")


def check_variables(hosts: Sequence[Host], entry_point: str) -> list[str]:
    """Return all mistakes that can be seen without the server."""
    return [
        *common(hosts, lambda host: unknown_variables(host.values, ROLES)),
        *common(hosts, lambda host: blank_variables(host.values, _NEVER_BLANK)),
        *common(hosts, lambda host: (mistake for role in ROLES for mistake in wrong_types(host.values, role))),
        *shared_subjects(hosts, "infrastructure"),
        *common(hosts, lambda host: folder_mistakes(_state_folder(host))),
        *common(hosts, _repetitions),
        *(common(hosts, _address_mistakes) if entry_point == "main" else ()),
        *(common(hosts, lambda host: svm_mistakes(host.values)) if entry_point == "main" else ()),
    ]


def file_warnings(hosts: Sequence[Host]) -> list[str]:
    """Return a warning for each folder whose state file no later run would find."""
    return common(hosts, lambda host: vanishing_files(_state_folder(host)))


def _state_folder(host: Host) -> list[tuple[str, str]]:
    """Return the folder of the state file, if any, and the variable that says so."""
    for name in _STATE_FILES:
        if file := host.given(name):
            # The file itself where the path is a link, as the module does it.
            return [(name, os.path.dirname(os.path.realpath(os.path.expanduser(str(file)))))]
    return []


def _repetitions(host: Host) -> Iterator[str]:
    for variable, read in (("svm_rollout_hypervisors", names), ("svm_image_infrastructure_types", _types)):
        value = host.values.get(variable)
        if value is None or value == []:
            continue
        try:
            counts = Counter(read(value, variable))
        except ValueError as error:
            yield str(error)
            continue
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            yield f"{variable}: given twice: {', '.join(twice)}."


def _types(value: Any, _variable: str) -> list[str]:
    items = value.split(",") if isinstance(value, str) else value
    return [str(item).strip().upper() for item in items] if isinstance(items, list) else []


def _address_mistakes(host: Host) -> Iterator[str]:
    pool = host.given("svm_rollout_address_pool", [])
    items = [pool] if isinstance(pool, str) else pool
    given = host.given("svm_rollout_addresses", {})
    try:
        if isinstance(items, list):
            read_pool(map(str, items))
        if isinstance(given, dict):
            read_given(given)
    except InputError as error:
        yield f"svm_rollout_{error}"
    per_hypervisor = host.switch("svm_rollout_per_hypervisor", default=False)
    if items and per_hypervisor and not _state_folder(host):
        yield (
            "svm_rollout_address_pool needs svm_rollout_state_file (ksvla_svm_state_file of the playbooks), since the server "
            "does not say which address an SVM has."
        )


def svm_mistakes(values: Mapping[str, Any]) -> Iterator[str]:
    """Say what ksvla_svm would refuse of the SVMs, as the role puts them together once the infrastructure is connected.

    :param values: The variables; only those in ``SVM_VARIABLES`` are read.
    """
    template, svms, per_hypervisor, pool = (
        default if is_blank(value := values.get(name)) else value for name, default in SVM_VARIABLES.items()
    )
    place = "svm_rollout_svms[0]"
    if boolean(per_hypervisor, strict=False):
        place, svms = "svm_rollout_template", [{"name": "of any hypervisor", "location": _LATER}]
        template = _with_address(template, pool)
    if not svms or not isinstance(template, dict) or not all(isinstance(each, dict) for each in svms):
        return  # of another type, which is said already
    arguments = {"image_id": _LATER, "svms": [{"infrastructure_id": _LATER, **template, **each} for each in svms]}
    for message in _refusals(arguments):
        yield named_for_role(message, "svm_rollout").replace("svm_rollout_svms[0]", place)


def _with_address(template: Any, pool: Any) -> Any:
    """Return the template with an address of the pool in its first network, or, without a pool, what is certain of that.

    Each SVM may have an address of its own: in ``svm_rollout_addresses``, or kept in the state file.
    """
    networks = template.get("networks") if isinstance(template, dict) else None
    if not isinstance(networks, list) or not networks or not isinstance(networks[0], dict):
        return template
    first: dict[str, Any] = networks[0]
    try:
        addresses = read_pool([pool] if isinstance(pool, str) else pool)
    except (InputError, TypeError):
        return template
    if addresses:
        first = {**first, "addressing": "static", "ip_addresses": addresses[:1]}
    elif not first.get("ip_addresses"):
        first = {name: value for name, value in first.items() if name not in ("addressing", "mask", "gateway")}
    return {**template, "networks": [first, *networks[1:]]}


def _refusals(arguments: dict[str, Any]) -> Iterator[str]:
    """Return what is wrong with arguments of ksvla_svm, the connection apart."""
    # Imported for those who deploy SVMs only: it takes longer than all other checks.
    from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

    from ..module_utils._module.definition import refusal
    from ..module_utils._state.svm.wanted import wanted_svms
    from ..modules.ksvla_svm import DEFINITION

    message = refusal(DEFINITION, arguments)
    if message is not None:
        yield message
        return
    validation = ArgumentSpecValidator({name: DEFINITION.options[name] for name in _OPTIONS}).validate(arguments)
    if validation.error_messages:
        yield from validation.error_messages
        return
    try:
        wanted_svms(validation.validated_parameters)
    except InputError as error:
        yield str(error)
