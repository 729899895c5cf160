# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of infrastructures that the playbooks make hosts of."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._infrastructure_list import infrastructures_from


def test_a_list_becomes_hosts_with_whatever_variables_its_items_have() -> None:
    text = "[{name: 'vc:22', infrastructure_type: VMWARE, svm_rollout_svms: [{name: a}]}, keystone]"
    hosts, mistakes = infrastructures_from(text)
    assert mistakes == []
    assert hosts == [
        {
            "host": "vc_22",
            "variables": {
                "infrastructure_name": "vc:22",
                "infrastructure_type": "VMWARE",
                "svm_rollout_svms": [{"name": "a"}],
            },
        },
        {"host": "keystone", "variables": {"infrastructure_name": "keystone"}},
    ]


@pytest.mark.parametrize(
    ("value", "mistake"),
    [
        ("vcenter", "ksvla_infrastructures must be a list of infrastructures"),
        ([7], "ksvla_infrastructures[0] must be a dictionary with a name, not int."),
        ([{"infrastructure_type": "XEN"}], "ksvla_infrastructures[0]: name is required."),
        ([{"name": ""}], "ksvla_infrastructures[0].name is empty"),
        ([{"name": 7}], "ksvla_infrastructures[0].name must be text: put it in quotation marks."),
        (["a:1", "a_1"], "ksvla_infrastructures[1]: 'a_1' becomes the host a_1, which is also that of"),
        (["infrastructures_from_list"], "which is also that of the group infrastructures_from_list."),
        (
            [{"name": "a", "infrastructure_adress": 1}],
            "variable infrastructure_adress. Did you mean infrastructure_address?",
        ),
        ([{"name": "a", "admin_password": "Secret-1"}], "admin_password. Did you mean infrastructure_admin_password?"),
        ([{"name": "a", "x": 1}], "ksvla_infrastructures[0]: unknown variable x."),
    ],
)
def test_a_mistake_of_the_list_is_named_with_its_place(value: Any, mistake: str) -> None:
    hosts, (found,) = infrastructures_from(value)
    assert mistake in found
    assert "Secret-1" not in found
    assert len(hosts) <= 1
