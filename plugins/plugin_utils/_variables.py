# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the roles and playbooks: which exist, which of those that are given are wrong, and how messages name them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.yaml import yaml_load

from ..module_utils._validation import blank_place
from ._tenant_inventory import VARIABLES as OF_INVENTORY
from ._values import is_blank

_ROLES = Path(__file__).resolve().parents[2] / "roles"
_SIMILAR = 0.6
TENANT_ROLES = ("tenant_onboarding", "tenant_offboarding", "tenant_report")
SVM_ROLES = ("infrastructure", "svm_image", "svm_rollout")
_PLACES = ("name", "svm_id", "infrastructure_id", "location")
NEVER_BLANK: Mapping[str, Sequence[str]] = {
    "tenant_onboarding": ("ksvla_tenant_name", "tenant_onboarding_vms", "tenant_onboarding_vms.bios_id"),
    "tenant_offboarding": ("ksvla_tenant_name", "tenant_offboarding_period_start", "tenant_offboarding_period_end"),
    "tenant_report": ("ksvla_tenant_name", "tenant_report_period_start", "tenant_report_period_end"),
    "infrastructure": [f"infrastructure_{name}" for name in ("name", "id", "type", "address", "region")],
    "svm_image": [f"svm_image_{name}" for name in ("id", "manifest_path", "infrastructure_types")],
    "svm_rollout": [
        *("svm_rollout_hypervisors", "svm_rollout_svms"),
        *(f"svm_rollout_{name}.{key}" for name in ("svms", "template") for key in _PLACES),
    ],
}
"""Of each role, the variables that select something: leaving one out means something wider."""
PLAYBOOK_VARIABLES = frozenset(
    f"ksvla_{name}"
    for name in (
        *("admin_passwords", "all", "connection", "drift_report", "execution", "handover_dir", "hosts", "image_ids"),
        *("infrastructure_ids", "infrastructures", "max_unregistrations", "only", "progress", "report_dir"),
        *("report_month", "serial", "server_address", "set_stats", "state_dir", "svm_state_file", "tenant_name"),
        *("tenants", "tenants_csv", "vms", "vms_csv"),
    )
)
"""The variables that roles and playbooks share; ``playbooks/README.md`` describes them."""
_FACTS = {
    *OF_INVENTORY,
    *(f"{role}_result" for role in (*TENANT_ROLES, *SVM_ROLES)),
    *("tenant_onboarding_handover", "tenant_onboarding_tenant"),
    *("ksvla_cells", "ksvla_failure", "ksvla_rows", "ksvla_summary"),
}
"""What the inventory plugin, roles and playbooks set themselves."""
_HANDED_ON = ("ksvla_infrastructure_id__", "ksvla_image_id__")
"""How variables begin that a job of an AWX workflow hands on, each with the name of what it is about."""


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
        prefix = max((prefix for prefix in prefixes if name.startswith(prefix)), key=len)
        meant = {each.removeprefix(prefix): each for each in documented if each.startswith(prefix)}
        yield f"Unknown variable {name}.{did_you_mean(name.removeprefix(prefix), meant)}"


def did_you_mean(name: str, meant: Mapping[str, str]) -> str:
    """Return a question about the variable that a misspelled name may mean, or nothing.

    :param meant: Variables by the spellings with which the name is compared.
    """
    close = difflib.get_close_matches(name, sorted(meant), 1, _SIMILAR)
    return f" Did you mean {meant[close[0]]}?" if close else ""


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


# ---- the options of modules in the words of a role ------------------------------------------------------------------------

_OF_THIS_KIND_ALONE = ("concurrency", "dest", "purge", "reregister")
"""Options that are one word, and that messages use for nothing else."""
_AS_OPTION = r"(?= is | must |\[|: |, complete or simple)"
"""How a message goes on behind a word that is an option, where the word could be any."""
_ANOTHER_MODULE = re.compile(r"(ksvla_\w+ with .*?(?:\.(?=\s|$)|$))")
"""The rest of a sentence that says how another module is called: these options are not those of the role."""


def named_for_role(message: str, role: str) -> str:
    """Return a message with the options of modules replaced by the role's variables, which the user of the role knows.

    The variable of an option begins with the name of the role and ends with the option.
    """
    options = {name.removeprefix(f"{role}_"): name for name in options_of(role) if name.startswith(f"{role}_")}
    options.update(("dest", name) for name in options_of(role) if name.endswith("_dest"))
    certain = [option for option in options if "_" in option or option in _OF_THIS_KIND_ALONE]
    doubtful = options.keys() - certain
    found = re.compile(
        rf"(?<![\w.'/-])(?:its )?(?:({'|'.join(certain)})(?![\w-])|({'|'.join(doubtful)})(?![\w-]){_AS_OPTION})"
    )
    parts = _ANOTHER_MODULE.split(message)
    parts[::2] = [found.sub(lambda match: options[match[1] or match[2]], part) for part in parts[::2]]
    named = "".join(parts)
    return re.sub(rf"\b([Aa])n (?={role}_)", r"\1 ", named) if role[0] not in "aeiou" else named
