# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the roles and playbooks: which exist, and which of those that are given are wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load

from ansible_collections.ksvla.light_agent.plugins.module_utils._validation import blank_place
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._lists import is_blank

_ROLES = Path(__file__).resolve().parents[2] / "roles"
_SIMILAR = 0.6
PLAYBOOK_VARIABLES = frozenset(
    f"ksvla_{name}"
    for name in (
        "admin_passwords",
        "all",
        "connection",
        "drift_report",
        "execution",
        "handover_dir",
        "hosts",
        "image_ids",
        "infrastructure_ids",
        "infrastructures",
        "max_unregistrations",
        "only",
        "progress",
        "report_dir",
        "report_month",
        "serial",
        "server_address",
        "set_stats",
        "state_dir",
        "svm_state_file",
        "tenant_name",
        "tenants",
        "tenants_csv",
        "vms",
        "vms_csv",
    )
)
"""The variables that roles and playbooks share; ``playbooks/README.md`` describes them."""
_FACTS = frozenset(
    {
        "infrastructure_result",
        "ksvla_account",
        "ksvla_failure",
        "svm_image_result",
        "svm_rollout_result",
        "tenant_offboarding_result",
        "tenant_onboarding_handover",
        "tenant_onboarding_result",
        "tenant_onboarding_tenant",
        "tenant_report_result",
    }
)
"""What roles and playbooks set themselves."""
_HANDED_ON = ("ksvla_infrastructure_id__", "ksvla_image_id__")
"""How variables begin that a job of an AWX workflow hands on, each with the name of what it is about."""
_REPLACED = {
    f"tenant_{role}_name": "ksvla_tenant_name" for role in ("onboarding", "offboarding", "report")
}  # before 1.0.0 was released


@cache
def options_of(role: str) -> dict[str, Any]:
    """Return the variables of a role as its argument specs describe them, of all its entry points."""
    path = _ROLES / role / "meta" / "argument_specs.yml"
    specs = yaml_load(path.read_text(encoding="utf-8"))["argument_specs"]
    return {name: option for spec in specs.values() for name, option in spec.get("options", {}).items()}


def unknown_variables(names: Iterable[str], roles: Sequence[str]) -> Iterator[str]:
    """Return a sentence for each name that is neither a variable of these roles nor one that all share.

    Names of roles that are not listed, and those of the user, are not looked at.
    """
    documented = PLAYBOOK_VARIABLES.union(*(options_of(role) for role in roles))
    prefixes = ("ksvla_", *(f"{role}_" for role in roles))
    for name in sorted(names):
        if not name.startswith(prefixes) or name.startswith(_HANDED_ON) or name in documented or name in _FACTS:
            continue
        meant = _REPLACED.get(name) or _nearest(name, documented, prefixes)
        yield f"There is no variable {name}.{f' Did you mean {meant}?' if meant else ''}"


def _nearest(name: str, documented: Iterable[str], prefixes: Sequence[str]) -> str | None:
    """Return the variable with the same prefix that a name is most like, or None."""
    prefix = next(prefix for prefix in prefixes if name.startswith(prefix))
    endings = [each.removeprefix(prefix) for each in documented if each.startswith(prefix)]
    found = difflib.get_close_matches(name.removeprefix(prefix), sorted(endings), 1, _SIMILAR)
    return prefix + found[0] if found else None


def blank_variables(values: Mapping[str, Any], never_blank: Iterable[str]) -> Iterator[str]:
    """Return a sentence for each variable that selects something and is blank.

    :param never_blank: Names, with a dot before a key of a dictionary, as ``svms.name``.
    """
    for path in never_blank:
        place = blank_place([path], values)
        if place is not None:
            yield f"{place} is empty: give a value, or leave the variable out."


def wrong_types(values: Mapping[str, Any], role: str) -> Iterator[str]:
    """Return a sentence for each variable of a role that has a value of the wrong type; blank is not given."""
    options = {name: {**option, "required": False} for name, option in options_of(role).items()}
    given = {name: value for name in options if name in values and not is_blank(value := values[name])}
    yield from ArgumentSpecValidator(options).validate(given).error_messages
