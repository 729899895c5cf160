# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question of a survey that is left blank is not given, or an error that names it, for every variable there is.

AWX sends it as ``!unsafe ''``, which ansible-core reads as null from 2.19 on, and as a blank text before: each is given to
the ansible-core of this environment, and what AWX sends to the oldest one in a few cases.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from awx.support.awx import NEWEST, OLDEST, extra_variables
from awx.support.rollouts import infrastructure
from integration.support.playbooks import Playbooks, Run
from integration.support.svms import INFRASTRUCTURES, VCENTER

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._variables import PLAYBOOK_VARIABLES, options_of
from simulator.testing import RunningSimulator

_SVM_ROLES = ("infrastructure", "svm_image", "svm_rollout")
_LISTS = {"ksvla_infrastructures", "ksvla_tenants", "ksvla_tenants_csv", "ksvla_hosts", "ksvla_only"}
"""What all playbooks check before they have hosts."""
_SELECTING = {
    "infrastructure_address",
    "infrastructure_id",
    "infrastructure_name",
    "infrastructure_region",
    "infrastructure_type",
    "ksvla_tenant_name",
    "svm_image_id",
    "svm_image_infrastructure_types",
    "svm_image_manifest_path",
    "svm_rollout_hypervisors",
    "svm_rollout_svms",
    "tenant_offboarding_period_end",
    "tenant_offboarding_period_start",
    "tenant_onboarding_vms",
    "tenant_report_period_end",
    "tenant_report_period_start",
}
"""Leaving one of them out would mean something wider."""


@dataclass(frozen=True)
class Case:
    """A playbook whose variables are all blank.

    :param given: What the host has, without which there is nothing to do.
    :param ends: How its table ends.
    :param after: The playbook that leaves it something to do.
    """

    playbook: str
    roles: tuple[str, ...]
    given: dict[str, Any]
    ends: str
    after: str = ""

    @property
    def variables(self) -> set[str]:
        """All variables that may be given."""
        return PLAYBOOK_VARIABLES.union(*(options_of(role) for role in self.roles)) - set(self.given)

    @property
    def selecting(self) -> set[str]:
        """Those that must not be blank."""
        return self.variables & (_SELECTING - ({"ksvla_tenant_name"} if self.roles == _SVM_ROLES else set()))


_ROLLOUT = {
    **infrastructure(1),
    "svm_root_password": "Root-Secret-1",
    "svm_klconfig_password": "Klconfig-Secret-1",
    "infrastructure_admin_username": "root",
    "infrastructure_admin_password": "Platform-Secret-1",
}
_CASES = [
    Case("onboard_tenants", ("tenant_onboarding",), {}, "1 tenant: 1 changed"),
    Case("report_protection", ("tenant_report",), {}, "1 tenant: 1 unchanged"),
    Case("show_tenants", (), {}, "1 tenant: 1 inactive"),
    Case("reconcile_tenants", ("tenant_onboarding",), {}, "1 tenant: 1 changed"),
    Case(
        "offboard_tenants",
        ("tenant_offboarding",),
        {"ksvla_all": True, "tenant_offboarding_report": False},
        "1 tenant: 1 removed",
    ),
    Case("rollout_svms", _SVM_ROLES, _ROLLOUT, "1 infrastructure: 1 changed"),
    Case(
        "reconfigure_svms",
        _SVM_ROLES,
        {**_ROLLOUT, "svm_rollout_changes": {"allow_root_ssh": True}},
        '"Alpine          changed  svm-1"',
        after="rollout_svms",
    ),
    Case(
        "remove_svms",
        _SVM_ROLES,
        {"infrastructure_id": VCENTER, "svm_rollout_svms": [{"name": "svm-1"}], "ksvla_all": True},
        "1 infrastructure: 1 unchanged",
    ),
]
_NULL, _TEXT, _OLDEST = "null", "text", "oldest"
_OF_OLDEST = ("offboard_tenants", "remove_svms")
_ANSWERS = [
    pytest.param(case, answer, id=f"{case.playbook}-{answer}")
    for case in _CASES
    for answer in (_NULL, _TEXT, _OLDEST)
    if answer != _OLDEST or case.playbook in _OF_OLDEST
]


def _run(case: Case, answer: str, folder: Path, simulator: RunningSimulator, blank: set[str]) -> Run:
    simulator.configure(connection_seconds=0)
    simulator.seed(tenants=[{"name": "Alpine"}], infrastructures=INFRASTRUCTURES)
    simulator.clear_requests()
    group = "infrastructures" if case.roles == _SVM_ROLES else "tenants"
    answers = folder / "answers.yml"
    given = dict.fromkeys(sorted(blank), "")
    answers.write_text(json.dumps(given) if answer == _TEXT else extra_variables(given, {}), encoding="utf-8")
    program = (OLDEST if answer == _OLDEST else NEWEST) / "ansible-playbook"
    return Playbooks(folder, simulator, str(program)).run(
        [],
        "controller",
        text="".join(
            f"- ansible.builtin.import_playbook: ksvla.light_agent.{name}\n"
            for name in (case.after, case.playbook)
            if name
        ),
        inventory=json.dumps({group: {"hosts": {"Alpine": case.given}}}),
        arguments=["-e", f"@{answers}"],
    )


@pytest.mark.parametrize(("case", "answer"), _ANSWERS)
def test_a_blank_answer_is_not_given(case: Case, answer: str, tmp_path: Path, simulator: RunningSimulator) -> None:
    run = _run(case, answer, tmp_path, simulator, case.variables - case.selecting - _LISTS)
    assert case.ends in run.succeeded().output, run.output


@pytest.mark.parametrize(("case", "answer"), _ANSWERS)
def test_a_blank_answer_that_would_select_is_named(
    case: Case, answer: str, tmp_path: Path, simulator: RunningSimulator
) -> None:
    blank = case.selecting
    run = _run(replace(case, after=""), answer, tmp_path, simulator, blank)
    assert run.status != 0
    assert not [
        name for name in blank if f"{name} is empty: give a value, or leave the variable out." not in run.output
    ]
    assert simulator.requests() == []


@pytest.mark.parametrize("answer", [_NULL, _TEXT])
@pytest.mark.parametrize("case", [case for case in _CASES if "ksvla_all" in case.given], ids=lambda case: case.playbook)
def test_a_blank_list_is_named(case: Case, answer: str, tmp_path: Path, simulator: RunningSimulator) -> None:
    other = "ksvla_infrastructures" if case.roles != _SVM_ROLES else "ksvla_tenants"
    blank = _LISTS - {other, f"{other}_csv"}
    run = _run(case, answer, tmp_path, simulator, blank)
    assert run.status != 0
    assert not [name for name in blank if f"{name} is empty" not in run.output], run.output
    assert simulator.requests() == []
