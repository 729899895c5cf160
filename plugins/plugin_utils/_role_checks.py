# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the variables of a role, as far as that shows without the server; by the role itself and by playbooks."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._errors import InputError
from ..module_utils._state.state_file.pool import read_given, read_pool
from ._values import is_blank, names, passwords
from ._variables import NEVER_BLANK, SVM_ROLES, blank_variables, named_for_role, unknown_variables

Values = Mapping[str, Any]

STATE_FILES = ("svm_rollout_state_file", "ksvla_svm_state_file")
_OPTIONS = ("image_id", "localization", "skip_integrity_check", "state", "svms", "threads_count", "all_with_name")
_LATER = "known-later"
"""Stands for an id that the server gives."""


def role_mistakes(values: Values, role: str, roles: Sequence[str] = (), *, deploys: bool = False) -> Iterator[str]:
    """Return a sentence for each mistake.

    :param roles: Further roles whose variables may be given.
    :param deploys: Whether the role svm_rollout is to deploy SVMs, and not to reconfigure or remove them.
    :raises ValueError: when a variable cannot be evaluated.
    """
    run = SVM_ROLES if role == "svm_rollout" else (role,)
    yield from unknown_variables(values, (*run, *roles))
    yield from blank_variables(values, [name for each in run for name in NEVER_BLANK[each]])
    yield from _CHECKS.get(role, lambda _values: ())(values)
    if deploys:
        yield from _address_mistakes(values)
        yield from _svm_mistakes(values)


def given(values: Values, variable: str, default: Any = None) -> Any:
    """Return the value of a variable, or the default where it is blank or not given."""
    value = values.get(variable)
    return default if is_blank(value) else value


def switched(values: Values, variable: str, *, default: bool) -> bool:
    return bool(boolean(given(values, variable, default), strict=False))


def _onboarding_mistakes(values: Values) -> Iterator[str]:
    try:
        passwords(given(values, "ksvla_admin_passwords"))
    except ValueError as error:
        yield str(error)
    tasks = os.path.expanduser(str(given(values, "tenant_onboarding_provider_tasks", "")))
    # Where a relative path begins is Ansible's to decide.
    if os.path.isabs(tasks) and not os.path.isfile(tasks):
        yield f"tenant_onboarding_provider_tasks: the file {tasks} does not exist."


def _missing_report_file(values: Values) -> Iterator[str]:
    wanted = switched(values, "tenant_offboarding_report", default=True)
    if wanted and given(values, "tenant_offboarding_report_dest", given(values, "ksvla_report_dir")) is None:
        yield (
            "the final report needs a file: give ksvla_report_dir or tenant_offboarding_report_dest, or set "
            "tenant_offboarding_report to false."
        )


def _unclear_period(values: Values) -> Iterator[str]:
    month = given(values, "tenant_report_month", given(values, "ksvla_report_month"))
    if month is None:
        return
    if not re.fullmatch("last|[0-9]{4}-(0[1-9]|1[0-2])", str(month)):
        yield f"ksvla_report_month (or tenant_report_month) must be 'last' or a month such as 2026-01, not {str(month)!r}."
    if "tenant_report_period_start" in values or "tenant_report_period_end" in values:
        yield (
            "ksvla_report_month (or tenant_report_month) cannot be combined with tenant_report_period_start and "
            "tenant_report_period_end."
        )


def _repetitions(values: Values) -> Iterator[str]:
    for variable, read in (("svm_rollout_hypervisors", names), ("svm_image_infrastructure_types", _types)):
        value = values.get(variable)
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


_CHECKS = {
    "tenant_onboarding": _onboarding_mistakes,
    "tenant_offboarding": _missing_report_file,
    "tenant_report": _unclear_period,
    "svm_rollout": _repetitions,
}


def _address_mistakes(values: Values) -> Iterator[str]:
    pool = _pool(values)
    addresses = given(values, "svm_rollout_addresses", {})
    try:
        if isinstance(pool, list):
            read_pool(map(str, pool))
        if isinstance(addresses, dict):
            read_given(addresses)
    except InputError as error:
        yield f"svm_rollout_{error}"
    per_hypervisor = switched(values, "svm_rollout_per_hypervisor", default=False)
    if pool and per_hypervisor and all(given(values, name) is None for name in STATE_FILES):
        yield (
            "svm_rollout_address_pool needs svm_rollout_state_file (ksvla_svm_state_file of the playbooks), since the server "
            "does not say which address an SVM has."
        )


def _pool(values: Values) -> Any:
    pool = given(values, "svm_rollout_address_pool", [])
    return [pool] if isinstance(pool, str) else pool


def _svm_mistakes(values: Values) -> Iterator[str]:
    """Say what ksvla_svm would refuse of the SVMs, as the role puts them together once the infrastructure is connected."""
    template, svms = given(values, "svm_rollout_template", {}), given(values, "svm_rollout_svms", [])
    place = "svm_rollout_svms[0]"
    if switched(values, "svm_rollout_per_hypervisor", default=False):
        place, svms = "svm_rollout_template", [{"name": "of any hypervisor", "location": _LATER}]
        template = _with_address(template, _pool(values))
    if not svms or not isinstance(template, dict) or not all(isinstance(each, dict) for each in svms):
        return  # of another type, which is said already
    arguments = {"image_id": _LATER, "svms": [{"infrastructure_id": _LATER, **template, **each} for each in svms]}

    def origin(found: re.Match[str]) -> str:
        key = found[2]
        return f"svm_rollout_template.{key}" if key in template and key not in svms[int(found[1])] else found[0]

    for message in _refusals(arguments):
        named = re.sub(r"svm_rollout_svms\[(\d+)\]\.(\w+)", origin, named_for_role(message, "svm_rollout"))
        yield named.replace("svm_rollout_svms[0]", place)


def _with_address(template: Any, pool: Any) -> Any:
    """Return the template with an address of the pool in its first network, or, without a pool, what is certain of that.

    Each SVM may have an address of its own: in ``svm_rollout_addresses``, or kept in the state file.
    """
    networks = template.get("networks") if isinstance(template, dict) else None
    if not isinstance(networks, list) or not networks or not isinstance(networks[0], dict):
        return template
    first: dict[str, Any] = networks[0]
    try:
        addresses = read_pool(pool)
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
