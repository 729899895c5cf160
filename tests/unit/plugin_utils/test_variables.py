# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the modules, in the words of the role that the user wrote."""

from __future__ import annotations

import pytest

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._variables import named_for_role


@pytest.mark.parametrize(
    ("role", "message", "expected"),
    [
        (
            "tenant_onboarding",
            "To create it, give its type, complete or simple.",
            "To create it, give tenant_onboarding_type, complete or simple.",
        ),
        (
            "tenant_onboarding",
            "type is required to create the tenant 'A': complete or simple.",
            "tenant_onboarding_type is required to create the tenant 'A': complete or simple.",
        ),
        (
            "tenant_onboarding",
            "Leave these options out, or set immutable_changes to warn.",
            "Leave these options out, or set tenant_onboarding_immutable_changes to warn.",
        ),
        (
            "tenant_onboarding",
            "Choose an admin_password that meets the rule.",
            "Choose a tenant_onboarding_admin_password that meets the rule.",
        ),
        ("tenant_onboarding", "vms[0]: bios_id is wrong", "tenant_onboarding_vms[0]: bios_id is wrong"),
        ("tenant_onboarding", "Set reregister: true.", "Set tenant_onboarding_reregister: true."),
        (
            "tenant_offboarding",
            "remove_artifacts is required; the folder of dest does not exist.",
            "tenant_offboarding_remove_artifacts is required; the folder of tenant_offboarding_report_dest does not exist.",
        ),
        # Options of another module.
        (
            "infrastructure",
            "Use ksvla_trusted_certificate with address: a.example.com:443. Then give address: b.",
            "Use ksvla_trusted_certificate with address: a.example.com:443. Then give infrastructure_address: b.",
        ),
        # Words that are not options here.
        ("tenant_onboarding", "A tenant of type simple has no vms.", "A tenant of type simple has no vms."),
        ("tenant_onboarding", "No tenant is named 'purge'.", "No tenant is named 'purge'."),
        ("tenant_onboarding", "See ksvla_tenant_vms and x.purge.", "See ksvla_tenant_vms and x.purge."),
        ("svm_image", "manifest_path is empty", "svm_image_manifest_path is empty"),
        ("infrastructure", "Choose an admin_password.", "Choose an infrastructure_admin_password."),
    ],
)
def test_a_message_names_the_variables_of_the_role(role: str, message: str, expected: str) -> None:
    assert named_for_role(message, role) == expected
