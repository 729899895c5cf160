# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registering, listing and unregistering virtual machines."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from simulator.testing import RunningSimulator

BIOS_ID = "4C4C4544-0042-3510-8052-b4c04f463432"


def test_a_virtual_machine_as_the_pages_show_it(client: Any) -> None:
    tenant_id = client.new_tenant()
    answer = client.register(tenant_id, BIOS_ID, "<name>web</name><userData><![CDATA[a < b]]></userData>")
    assert (answer.status, answer.body) == (200, b"")
    (vm,) = client.get(f"/tenants/{tenant_id}/vms").xml.findall("vm")
    assert sorted(vm.attrib) == ["biosId", "created", "id", "updated"]
    assert vm.attrib["biosId"] == BIOS_ID
    assert str(uuid.UUID(vm.attrib["id"])) == vm.attrib["id"]
    assert (vm.findtext("name"), vm.findtext("userData")) == ("web", "a < b")


def test_only_the_bios_id_is_required(client: Any) -> None:
    tenant_id = client.new_tenant()
    assert client.register(tenant_id, BIOS_ID).status == 200
    (vm,) = client.get(f"/tenants/{tenant_id}/vms").xml.findall("vm")
    assert (vm.findtext("name"), vm.findtext("userData")) == ("", "")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<vm><name>web</name></vm>", "VIRMT_MandatoryParameterIsNotSpecified"),
        ('<vm biosId=""/>', "VIRMT_MandatoryParameterIsNotSpecified"),
        ('<vm biosId="no uuid"/>', None),
        (f'<vm biosId="{{{BIOS_ID}}}"/>', None),
        (f'<vm id="{BIOS_ID}" biosId="{BIOS_ID}"/>', None),
        (f'<vm biosId="{BIOS_ID}"><type>x</type></vm>', None),
        (f"<tenant><name>{BIOS_ID}</name></tenant>", None),
    ],
)
def test_bodies_that_are_refused(client: Any, body: str, code: str | None) -> None:
    tenant_id = client.new_tenant()
    answer = client.post(f"/tenants/{tenant_id}/vms/register", body)
    assert (answer.status, answer.code) == (400, code)
    assert client.get(f"/tenants/{tenant_id}/vms").xml.findall("vm") == []


def test_a_bios_id_is_unique_over_all_tenants_without_regard_to_case(client: Any) -> None:
    first, second = client.new_tenant("A"), client.new_tenant("B")
    assert client.register(first, BIOS_ID).status == 200
    for tenant_id in (first, second):
        answer = client.register(tenant_id, BIOS_ID.lower())
        assert (answer.status, answer.code) == (409, "VIRMT_VmWithSpecifiedBiosIdAlreadyExists")
    assert client.post(f"/tenants/{first}/vms/unregister?biosId={BIOS_ID.lower()}").status == 200
    assert client.register(second, BIOS_ID).status == 200


def test_unregistering_by_either_id(client: Any) -> None:
    tenant_id = client.new_tenant()
    for name, attribute in (("biosId", "biosId"), ("vmId", "id")):
        client.register(tenant_id, BIOS_ID)
        (vm,) = client.get(f"/tenants/{tenant_id}/vms").xml.findall("vm")
        answer = client.post(f"/tenants/{tenant_id}/vms/unregister?{name}={vm.attrib[attribute].upper()}")
        assert (answer.status, answer.body) == (200, b"")
        assert client.get(f"/tenants/{tenant_id}/vms").xml.findall("vm") == []


def test_only_the_own_tenant_unregisters(client: Any) -> None:
    first, second = client.new_tenant("A"), client.new_tenant("B")
    client.register(first, BIOS_ID)
    answer = client.post(f"/tenants/{second}/vms/unregister?biosId={BIOS_ID}")
    assert (answer.status, answer.code) == (404, "VIRMT_VmWithSpecifiedIdNotFound")
    assert len(client.get(f"/tenants/{first}/vms").xml) == 1


@pytest.mark.parametrize("query", ["", f"biosId={BIOS_ID}&vmId={BIOS_ID}", "biosId=", "vmId=7", f"id={BIOS_ID}"])
def test_queries_that_are_refused(client: Any, query: str) -> None:
    assert client.post(f"/tenants/{client.new_tenant()}/vms/unregister", query=query).status == 400


def test_removing_the_tenant_frees_its_virtual_machines(client: Any) -> None:
    first, second = client.new_tenant("A"), client.new_tenant("B")
    client.register(first, BIOS_ID)
    client.wait(client.delete(f"/tenants/{first}?removeTenantArtifacts=true"))
    assert client.register(second, BIOS_ID).status == 200


def test_the_answer_to_registering_may_hold_the_virtual_machine(client: Any, simulator: RunningSimulator) -> None:
    simulator.configure(shape_register="vm")
    answer = client.register(client.new_tenant(), BIOS_ID, "<name>web</name>")
    assert answer.xml.attrib["biosId"] == BIOS_ID


def test_lists_follow_what_happens(client: Any, simulator: RunningSimulator) -> None:
    bios_ids = [str(uuid.uuid4()) for _turn in range(20)]
    simulator.seed(tenants=[{"name": "A", "vms": [{"bios_id": bios_id} for bios_id in bios_ids]}])
    tenant_id = client.tenant_id("A")

    def listed() -> list[str]:
        return [vm.attrib["biosId"] for vm in client.get(f"/tenants/{tenant_id}/vms").xml.iter("vm")]

    assert listed() == bios_ids
    client.post(f"/tenants/{tenant_id}/vms/unregister?biosId={bios_ids[3]}")
    client.register(tenant_id, BIOS_ID)
    assert listed() == [*bios_ids[:3], *bios_ids[4:], BIOS_ID]
