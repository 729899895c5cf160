# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a tenant: creating with its stages and rollback, activating, removing with and without artifacts."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from simulator.testing import RunningSimulator

_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
COMPLETE_STAGES = [
    "CheckingTenant",
    "ConnectingToSecurityCenter",
    "CreatingTenantFolder",
    "CreatingVirtualServer",
    "CreatingAdministratorAccount",
    "CreatingAdministrationGroups",
    "SavingTenant",
]


def _center(simulator: RunningSimulator) -> dict[str, list[str]]:
    center: dict[str, list[str]] = simulator.state()["multitenancy"]["security_center"]
    return center


def test_a_complete_tenant_as_the_pages_show_it(client: Any, bodies: Any) -> None:
    body = (
        "<tenant><name>Acme</name><description>A customer</description>"
        "<userData><![CDATA[<b>free</b>]]></userData><preferredViisAddress>192.0.2.7</preferredViisAddress>"
        f"<type>Complete</type>{bodies.account('keeper')}</tenant>"
    )
    task = client.wait(client.post("/tenants", body))
    assert (task.type, task.state, task.progress, task.error) == ("CreateTenant", "Completed", 100, "")
    tenant_id = client.tenant_id("Acme")
    tenant = client.get(f"/tenants/{tenant_id}").xml
    assert [child.tag for child in tenant] == ["name", "description", "userData", "vKsc", "status", "type"]
    assert tenant.findtext("description") == "A customer"
    assert tenant.findtext("userData") == "<b>free</b>"
    assert tenant.findtext("vKsc/user/name") == "keeper"
    server_id = tenant.find("vKsc").attrib["id"]
    assert str(uuid.UUID(server_id)) == server_id
    assert (tenant.findtext("status"), tenant.findtext("type")) == ("Inactive", "Complete")
    assert _DATE.fullmatch(tenant.attrib["created"])
    assert _DATE.fullmatch(tenant.attrib["updated"])
    assert tenant.find("vKsc/user/password") is None
    assert "192.0.2.7" not in client.get("/tenants").text
    assert task.result.find("tenant").attrib["id"] == tenant_id


def test_a_simple_tenant_has_no_server(client: Any, simulator: RunningSimulator) -> None:
    client.new_tenant("Acme", "Simple")
    tenant = client.get(f"/tenants/{client.tenant_id('Acme')}").xml
    assert tenant.find("vKsc") is None
    assert _center(simulator) == {"folders": [], "servers": [], "accounts": []}


@pytest.mark.parametrize("kind", ["Simple", "Complete"])
def test_a_tenant_without_type_gets_the_default(
    client: Any, bodies: Any, simulator: RunningSimulator, kind: str
) -> None:
    simulator.configure(default_tenant_type=kind)
    account = bodies.account() if kind == "Complete" else ""
    assert client.wait(client.post("/tenants", f"<tenant><name>A</name>{account}</tenant>")).state == "Completed"
    assert client.get(f"/tenants/{client.tenant_id('A')}").xml.findtext("type") == kind


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_addresses(client: Any, address: str) -> None:
    assert client.create("A", preferredViisAddress=address).state == "Completed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<tenant/>", "VIRMT_MandatoryParameterIsNotSpecified"),
        ("<tenant><name/></tenant>", "VIRMT_MandatoryParameterIsNotSpecified"),
        ("<tenant><name>A</name><type/></tenant>", "VIRMT_InvalidTenantType"),
        ("<tenant><name>A</name><type>complete</type></tenant>", "VIRMT_InvalidTenantType"),
        ("<tenant><name>A</name><preferredViisAddress/></tenant>", "VIRMT_InvalidViisAddressFormat"),
        (
            "<tenant><name>A</name><preferredViisAddress>host</preferredViisAddress></tenant>",
            "VIRMT_InvalidViisAddressFormat",
        ),
        ("<tenant><name>A</name><type>Complete</type><vKsc/></tenant>", "VIRMT_VKscCredentialsNotSpecified"),
        (
            "<tenant><name>A</name><type>Complete</type><vKsc><user><name>a</name></user></vKsc></tenant>",
            "VIRMT_VKscCredentialsNotSpecified",
        ),
        (
            "<tenant><name>A</name><type>Complete</type><vKsc><user><name/><password>YQ==</password></user></vKsc></tenant>",
            "VIRMT_VKscCredentialsNotSpecified",
        ),
        (
            "<tenant><name>A</name><type>Complete</type><vKsc><user><name>a</name><password>Passw0rd!</password></user></vKsc></tenant>",
            None,
        ),
    ],
)
def test_bodies_that_are_refused(client: Any, body: str, code: str | None) -> None:
    answer = client.post("/tenants", body)
    assert (answer.status, answer.code) == (400, code)
    assert client.tasks() == []


def test_a_tenant_is_visible_only_when_its_task_completes(
    client: Any, bodies: Any, simulator: RunningSimulator
) -> None:
    simulator.configure(task_seconds=100)
    task_id = client.post("/tenants", bodies.tenant("A", "Complete")).id
    seen: dict[str | None, int] = {}
    for _turn in range(99):
        task = client.task(task_id)
        assert client.get("/tenants").xml.findall("tenant") == []
        assert task.progress >= max(seen.values(), default=0)
        seen.setdefault(task.stage, task.progress)
        simulator.configure(clock_offset=len(simulator.requests()) / 2)
        if client.task(task_id).state == "Completed":
            break
    assert [stage for stage in seen if stage] == COMPLETE_STAGES
    assert client.tenant_id("A")


def test_names_are_taken_from_the_start_of_the_task(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    simulator.configure(task_seconds=0.2)
    answers = [client.post("/tenants", bodies.tenant("A")) for _turn in range(3)]
    tasks = [client.wait(answer) for answer in answers]
    assert sorted(task.state for task in tasks) == ["Completed", "Failed", "Failed"]
    assert {task.code for task in tasks} == {None, "VIRMT_TenantWithSpecifiedNameAlreadyExists"}


def test_names_are_compared_exactly(client: Any) -> None:
    for name in ("Acme", "acme", " Acme", "Acme "):
        assert client.create(name).state == "Completed"
    assert len(client.get("/tenants").xml.findall("tenant")) == 4


@pytest.mark.parametrize("stage", COMPLETE_STAGES)
def test_a_failure_at_any_stage_rolls_everything_back(client: Any, simulator: RunningSimulator, stage: str) -> None:
    before = simulator.state()["multitenancy"]
    simulator.task_fault(type="CreateTenant", stage=stage, code="KSC_SomethingBroke", message="It broke.")
    task = client.create("A", "Complete")
    assert (task.state, task.code, task.stage, task.result) == ("Failed", "KSC_SomethingBroke", stage, None)
    assert "It broke." in task.error
    assert simulator.state()["multitenancy"] == before
    assert client.create("A", "Complete").state == "Completed"


def test_passwords_have_to_meet_the_policy(client: Any, bodies: Any, simulator: RunningSimulator) -> None:
    def code(password: str) -> str | None:
        body = f"<tenant><name>A{password}</name><type>Complete</type>{bodies.account(password, password)}</tenant>"
        result: str | None = client.wait(client.post("/tenants", body)).code
        return result

    refused = "VIRMT_PasswordNotComplyPolicy"
    assert code("Passw0r") == refused
    assert code("password1") == refused
    assert code("Password1") is None
    assert code("пароль12A") is None
    simulator.configure(password_min_length=12)
    assert code("Password2") == refused
    simulator.configure(password_policy=False)
    assert code("x") is None


def test_the_limit_of_virtual_servers(client: Any, simulator: RunningSimulator) -> None:
    simulator.configure(virtual_server_limit=2)
    assert [client.create(name, "Complete").state for name in "ABC"] == ["Completed", "Completed", "Failed"]
    task = client.create("C", "Complete")
    assert (task.state, task.code) == ("Failed", None)
    assert "limit" in task.error
    assert client.create("C", "Simple").state == "Completed"
    client.wait(client.delete(f"/tenants/{client.tenant_id('A')}?removeTenantArtifacts=true"))
    assert client.create("D", "Complete").state == "Completed"


def test_the_default_limit_is_the_documented_one(simulator: RunningSimulator, client: Any) -> None:
    simulator.seed(tenants=[{"name": f"T{number}", "type": "complete"} for number in range(500)])
    assert client.create("one more", "Complete").state == "Failed"


def test_activating_and_deactivating(client: Any) -> None:
    tenant_id = client.new_tenant("A", "Complete")
    for change, status in (("activate", "Active"), ("activate", "Active"), ("deactivate", "Inactive")):
        task = client.wait(client.post(f"/tenants/{tenant_id}/{change}"))
        assert (task.type, task.state, task.result.text) == ("ChangeTenantActivation", "Completed", "true")
        assert client.get(f"/tenants/{tenant_id}").xml.findtext("status") == status


def test_a_simple_tenant_needs_no_security_center(client: Any, simulator: RunningSimulator) -> None:
    simulator.configure(ksc_configured=False)
    tenant_id = client.new_tenant("A", "Simple")
    assert client.wait(client.post(f"/tenants/{tenant_id}/activate")).state == "Completed"
    assert client.wait(client.delete(f"/tenants/{tenant_id}?removeTenantArtifacts=true")).state == "Completed"


def test_removing_with_artifacts_leaves_nothing(client: Any, simulator: RunningSimulator) -> None:
    empty = simulator.state()["multitenancy"]
    tenant_id = client.new_tenant("A", "Complete")
    client.register(tenant_id, str(uuid.uuid4()))
    task = client.wait(client.delete(f"/tenants/{tenant_id}?removeTenantArtifacts=true"))
    assert (task.type, task.state) == ("DeleteTenant", "Completed")
    assert task.result.find("tenant").attrib["id"] == tenant_id
    assert client.get(f"/tenants/{tenant_id}").status == 404
    assert simulator.state()["multitenancy"] == empty
    assert client.create("A", "Complete").state == "Completed"


@pytest.mark.parametrize("query", ["?removeTenantArtifacts=false", ""])
def test_removing_without_artifacts_leaves_them_behind(client: Any, simulator: RunningSimulator, query: str) -> None:
    tenant_id = client.new_tenant("A", "Complete")
    assert client.wait(client.delete(f"/tenants/{tenant_id}{query}")).state == "Completed"
    center = _center(simulator)
    assert (center["folders"], center["accounts"], len(center["servers"])) == (["A"], ["admin of A"], 1)
    assert client.create("A", "Complete", username="other").code == "VIRMT_TenantGroupAlreadyExists"
    assert client.create("B", "Complete", username="admin of A").code == "VIRMT_UserWithSpecifiedNameAlreadyExists"
    assert client.create("A", "Simple").state == "Completed"


def test_a_failed_removal_leaves_the_tenant(client: Any, simulator: RunningSimulator) -> None:
    tenant_id = client.new_tenant("A", "Complete")
    client.register(tenant_id, str(uuid.uuid4()))
    before = simulator.state()["multitenancy"]
    simulator.task_fault(type="DeleteTenant", code="KSC_SomethingBroke")
    assert client.wait(client.delete(f"/tenants/{tenant_id}?removeTenantArtifacts=true")).code == "KSC_SomethingBroke"
    assert simulator.state()["multitenancy"] == before


@pytest.mark.parametrize("value", ["True", "1", ""])
def test_remove_tenant_artifacts_is_true_or_false(client: Any, value: str) -> None:
    answer = client.delete(f"/tenants/{client.new_tenant()}?removeTenantArtifacts={value}")
    assert answer.status == 400


def test_removing_twice(client: Any) -> None:
    tenant_id = client.new_tenant()
    answers = [client.delete(f"/tenants/{tenant_id}?removeTenantArtifacts=true") for _turn in range(2)]
    tasks = [client.wait(answer) for answer in answers]
    assert [(task.state, task.code) for task in tasks] == [
        ("Completed", None),
        ("Failed", "VIRMT_TenantWithSpecifiedIdNotFound"),
    ]


def test_ids_are_one_segment_of_the_path(client: Any) -> None:
    tenant_id = client.new_tenant()
    assert client.get(f"/tenants/{tenant_id.upper()}").status == 200
    assert client.get("/tenants/a%2Fb").code == "VIRMT_TenantWithSpecifiedIdNotFound"
    assert client.get("/tenants/%D0%96").code == "VIRMT_TenantWithSpecifiedIdNotFound"
