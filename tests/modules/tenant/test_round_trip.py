# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any text that XML can carry survives the way from the client to a server and back."""

from __future__ import annotations

import uuid

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.strategies import filled_texts, xml_texts

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import MultitenancyApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.formats import NewTenant
from simulator.testing import RunningSimulator

_SHARED = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
_SHAPES = st.sampled_from(["fixed", "random"])


@_SHARED
@given(name=filled_texts, description=xml_texts, user_data=xml_texts, username=filled_texts, shape=_SHAPES)
@example(
    name=" \r\n]]> \t",
    description="\r",
    user_data="]]>]]>\r\r\n\U0001f511 ",
    username="\U0010fffd",
    shape="fixed",
)
def test_a_tenant(
    name: str,
    description: str,
    user_data: str,
    username: str,
    shape: str,
    api: MultitenancyApi,
    simulator: RunningSimulator,
) -> None:
    simulator.reset()
    simulator.configure(shape=shape)
    api.create_tenant(NewTenant(name, description, user_data, None, "complete", username, "Passw0rd!Ю"))
    (task,) = api.tasks(task_type="CreateTenant")
    assert task.completed, task
    (tenant,) = api.tenants()
    assert (tenant.name, tenant.description, tenant.user_data) == (name, description, user_data)
    assert tenant.admin_username == username
    assert api.tenant(tenant.id) == tenant
    (stored,) = simulator.state()["multitenancy"]["tenants"]
    assert (stored["name"], stored["description"] or "", stored["user_data"] or "") == (name, description, user_data)


@_SHARED
@given(vms=st.lists(st.tuples(filled_texts, xml_texts), min_size=1, max_size=3), shape=_SHAPES)
def test_virtual_machines(
    vms: list[tuple[str, str]], shape: str, api: MultitenancyApi, simulator: RunningSimulator
) -> None:
    simulator.reset()
    simulator.configure(shape=shape)
    tenant_id = str(uuid.uuid4())
    simulator.seed(tenants=[{"id": tenant_id, "name": "A"}])
    wanted = {str(uuid.uuid4()): vm for vm in vms}
    for bios_id, (name, user_data) in wanted.items():
        api.register_vm(tenant_id, bios_id, name, user_data)
    assert {vm.bios_id: (vm.name, vm.user_data) for vm in api.vms(tenant_id)} == wanted
