# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates, connections of infrastructures, images and tokens, against the simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import MANIFEST, SSH_TYPES, Caller, account, caller, trust

from simulator.testing import RunningSimulator

VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
KEYSTONE = {"type": "OPENSTACK", "address": "keystone.example.com"}
ADDRESS = "vcenter.example.com:443"


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    """Calls modules; connections are made at the next look."""
    simulator.configure(connection_seconds=0)
    with caller(simulator) as made:
        yield made


# ---- certificates -------------------------------------------------------------------------------------------------------


def test_nothing_is_trusted_blindly(run: Caller) -> None:
    failed = run.fails("trusted_certificate", address=ADDRESS)
    assert failed["certificate"]["thumbprint"] in failed["msg"]
    assert "trust_on_first_use" in failed["hint"]
    assert not run.sent("POST", "/rules")


def test_another_thumbprint_than_expected(run: Caller) -> None:
    failed = run.fails("trusted_certificate", address=ADDRESS, thumbprint="AA:BB", trust_on_first_use=True)
    assert "AA:BB is expected" in failed["msg"]
    assert failed["certificate"]["thumbprint"] in failed["msg"]
    assert not run.sent("POST", "/rules")


@pytest.mark.parametrize("style", ["upper", "lower", "colons"])
def test_the_expected_thumbprint_in_any_spelling(run: Caller, simulator: RunningSimulator, style: str) -> None:
    simulator.configure(thumbprint_style=style)
    found = run.fails("trusted_certificate", address=ADDRESS)["certificate"]["thumbprint"]
    plain = found.replace(":", "").lower()
    spelled = ":".join(plain[at : at + 2] for at in range(0, len(plain), 2)) if style == "upper" else plain.upper()
    assert run.predicted("trusted_certificate", address=ADDRESS, thumbprint=spelled)["changed"]
    result = run("trusted_certificate", address=ADDRESS, thumbprint=spelled)
    assert result["changed"]
    assert result["certificate"]["accepted"]
    assert json.loads(run.sent("POST", "/rules")[0]["body"]) == {"address": ADDRESS, "thumbprint": found}
    assert not run("trusted_certificate", address=ADDRESS, thumbprint=spelled)["changed"]
    assert not run("trusted_certificate", address=ADDRESS)["changed"], "what is trusted needs no expectation"


def test_a_certificate_that_changed_after_it_was_trusted(run: Caller, simulator: RunningSimulator) -> None:
    old = run("trusted_certificate", address=ADDRESS, trust_on_first_use=True)["certificate"]["thumbprint"]
    simulator.configure(certificate_versions={"vcenter.example.com": "2"})
    failed = run.fails("trusted_certificate", address=ADDRESS, thumbprint=old)
    assert old in failed["msg"]


def test_a_lost_answer_of_trusting(run: Caller, simulator: RunningSimulator) -> None:
    simulator.fault(method="POST", path="rules$", kind="drop_after")
    assert run("trusted_certificate", address=ADDRESS, trust_on_first_use=True)["certificate"]["accepted"]
    assert len(run.sent("POST", "/rules")) == 1
    simulator.fault(method="POST", path="rules$", kind="drop_before")
    assert run("trusted_certificate", address="other.example.com:443", trust_on_first_use=True)["changed"]


def test_address_and_port(run: Caller) -> None:
    result = run("trusted_certificate", address="kvm", address_port=22, kind="ssh", trust_on_first_use=True)
    assert result["certificate"]["address"] == "kvm:22"
    assert run("trusted_certificate", address="host", trust_on_first_use=True)["certificate"]["address"] == "host:443"
    assert "give one of them" in run.fails("trusted_certificate", address="h:1", address_port=2)["msg"]


def test_the_option_port_is_always_the_integration_servers(run: Caller, simulator: RunningSimulator) -> None:
    given = {"address": "nutanix", "port": simulator.port, "trust_on_first_use": True}
    assert run("trusted_certificate", **given)["certificate"]["address"] == "nutanix:443"
    assert run("trusted_certificate", **given, address_port=9440)["certificate"]["address"] == "nutanix:9440"
    assert "nutanix:8443" in str(run("trusted_certificate", **{**given, "address": "nutanix:8443"})["certificate"])


# ---- connections --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("platform", ["VMWARE", "PROXMOX", "LIBVIRT", "NUTANIXPRISM"])
def test_an_untrusted_certificate_is_named(run: Caller, platform: str) -> None:
    where = {"type": platform, "address": "infra.example.com"}
    failed = run.fails("infrastructure", **where, **account(platform))
    assert failed["error_code"] == "INVALID_CERTIFICATE"
    assert failed["changed"]
    assert failed["infrastructure_id"] in failed["msg"]
    assert "ksvla_trusted_certificate" in failed["hint"]
    for one in failed["untrusted"]:
        assert one["thumbprint"] in failed["hint"]
        assert one["address"] in failed["hint"]
        run("trusted_certificate", **one)
    assert ("ssh" in {one["kind"] for one in failed["untrusted"]}) is (platform in SSH_TYPES)
    assert len(failed["untrusted"]) == (2 if platform == "PROXMOX" else 1)
    again = run("infrastructure", infrastructure_id=failed["infrastructure_id"])
    assert again["changed"], "what could not be connected is tried again"
    assert again["infrastructure"]["connection"]["admin"]["status"] == "CONNECTED"


@pytest.mark.parametrize(
    ("platform", "address", "verified"),
    [
        ("VMWARE", "h:8443", {"https h:8443"}),
        ("PROXMOX", "h:8007", {"https h:8007", "ssh h:22"}),
        ("NUTANIXPRISM", "2001:db8::1", {"https [2001:db8::1]:9440"}),
    ],
)
def test_what_is_verified_at_an_address(run: Caller, platform: str, address: str, verified: set[str]) -> None:
    failed = run.fails("infrastructure", type=platform, address=address, **account(platform))
    assert {f"{one['kind']} {one['address']}" for one in failed["untrusted"]} == verified


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("UNAUTHORIZED", "refuses the login of the admin account 'deployer'"),
        ("ACCESS_DENIED", "does not have enough rights"),
        ("NETWORK_ERROR", "reaches hyperv.example.com over the network"),
        ("SERVER_ERROR", "their own logs say why"),
    ],
)
def test_each_connection_error_says_what_to_do(
    run: Caller, simulator: RunningSimulator, error: str, advice: str
) -> None:
    simulator.configure(connection_errors={"hyperv.example.com": error})
    failed = run.fails("infrastructure", type="HYPERV", address="hyperv.example.com", **account("HYPERV"))
    simulator.configure(connection_errors={})
    assert failed["error_code"] == error
    assert advice in failed["hint"]


def test_the_read_only_account_is_distinguished(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(connection_errors={"hyperv.example.com@readOnly": "UNAUTHORIZED"})
    given = account("HYPERV", readonly_username="reader", readonly_password="Reader-Secret-1")
    failed = run.fails("infrastructure", type="HYPERV", address="hyperv.example.com", **given)
    simulator.configure(connection_errors={})
    assert "the read-only account 'reader'" in failed["hint"]
    assert failed["infrastructure"]["connection"]["admin"]["status"] == "CONNECTED"


@pytest.mark.parametrize("where", [VCENTER, KEYSTONE])
def test_a_wrong_password_of_either_account(run: Caller, simulator: RunningSimulator, where: dict[str, Any]) -> None:
    simulator.configure(
        known_accounts={"deployer": "Infra-Secret-1", "reader": "Reader-Secret-1"}, microservice_protocol="http"
    )
    trust(run, where["type"], where["address"])
    readonly = {"readonly_username": "reader", "readonly_password": "Reader-Secret-1"}
    readonly |= {"readonly_domain": "Default"} if where is KEYSTONE else {}
    for account_name, wrong in (("admin", "wrong"), ("readonly", "wrong")):
        given = {**where, **account(where["type"]), **readonly, f"{account_name}_password": wrong}
        failed = run.fails("infrastructure", **given)
        assert failed["error_code"] == "UNAUTHORIZED"
        assert f"check its {account_name}_username, {account_name}_password" in failed["hint"]
        if "infrastructure_id" in failed:
            run("infrastructure", infrastructure_id=failed["infrastructure_id"], state="absent")
    assert run("infrastructure", **where, **account(where["type"]), **readonly)["changed"]


@pytest.mark.parametrize("platform", ["XEN", "NUMAVSERVER"])
def test_a_secondary_server_names_its_primary(run: Caller, simulator: RunningSimulator, platform: str) -> None:
    simulator.configure(secondary_servers={"xen-2.example.com": "xen-1.example.com"})
    trust(run, platform, "xen-2.example.com")
    failed = run.fails("infrastructure", type=platform, address="xen-2.example.com", **account(platform))
    simulator.configure(secondary_servers={})
    assert failed["error_code"] == "NETWORK_ERROR"
    assert "the primary one is xen-1.example.com" in failed["msg"]
    assert "address: xen-1.example.com" in failed["hint"]


@pytest.mark.parametrize("nesting", ["endpoints", "pages"])
@pytest.mark.parametrize("key", ["pages", "readOnly", "readonly"])
def test_microservices_are_tested_first_and_named(
    run: Caller, simulator: RunningSimulator, nesting: str, key: str
) -> None:
    simulator.configure(regions_nesting=nesting, read_only_key=key)
    trust(run, "OPENSTACK", KEYSTONE["address"])
    given = account("OPENSTACK", readonly_username="reader", readonly_password="R-1-Secret", readonly_domain="Default")
    failed = run.fails("infrastructure", **KEYSTONE, **given)
    for service in ("compute", "glance", "neutron", "cinder"):
        assert f"microservice {service} in region RegionOne" in failed["msg"]
    assert not run.sent("POST", "/api/3.0/infrastructures")
    for one in failed["untrusted"]:
        run("trusted_certificate", **one)
    connected = run("infrastructure", **KEYSTONE, **given)
    assert len(connected["infrastructure"]["connection"]["readonly"]["services"]) == 4
    sent = json.loads(run.sent("POST", "/api/3.0/infrastructures")[0]["body"])
    assert sent["specificSettings"] == {"protocol": "https", "region": "RegionOne"}
    assert list(sent["accounts"]) == ["admin", "readOnly"]
    assert sent == json.loads(run.sent("POST", "/testConnection")[0]["body"])
    simulator.configure(regions_nesting="endpoints", read_only_key="pages")


def test_without_the_test_a_failed_microservice_fails_the_connection(run: Caller) -> None:
    trust(run, "OPENSTACK", KEYSTONE["address"])
    failed = run.fails("infrastructure", **KEYSTONE, **account("OPENSTACK"), test_connection=False)
    assert "microservice compute" in failed["msg"]
    assert failed["infrastructure_id"]
    assert not run.sent("POST", "/testConnection")


@pytest.mark.parametrize("shape", ["array", "object"])
def test_found_by_type_and_address_in_a_list(
    run: Caller, simulator: RunningSimulator, shape: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    simulator.configure(list_infrastructures=True, list_shape=shape)
    trust(run, "VMWARE", VCENTER["address"])
    first = run("infrastructure", **VCENTER, **account("VMWARE"))
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "another machine"))
    again = run("infrastructure", **VCENTER, **account("VMWARE"))
    assert not again["changed"]
    assert again["infrastructure"]["id"] == first["infrastructure"]["id"]
    assert run("infrastructure", **VCENTER, state="absent")["changed"]
    assert not run("infrastructure", **VCENTER, state="absent")["changed"]
    simulator.configure(list_infrastructures=False, list_shape="array")


@pytest.mark.parametrize(("wait", "status"), [(True, "CONNECTED"), (False, "CONNECTING")])
@pytest.mark.parametrize("where", [VCENTER, KEYSTONE])
def test_a_connection_is_predicted_as_it_is_made(
    run: Caller, simulator: RunningSimulator, where: dict[str, Any], wait: bool, status: str
) -> None:
    simulator.configure(connection_seconds=0 if wait else 30, microservice_protocol="http")
    trust(run, where["type"], where["address"])
    readonly = {"readonly_username": "reader", "readonly_password": "Infra-Secret-2"}
    if where is KEYSTONE:
        readonly["readonly_domain"] = "Default"
    given = {**where, **account(where["type"]), **readonly, "wait": wait}
    predicted, connected = run.predicted("infrastructure", **given), run("infrastructure", **given)
    assert predicted["diff"] == connected["diff"]
    assert predicted["remaining"] == connected["remaining"] == ([] if wait else ["wait for the connection"])
    for result in (predicted, connected):
        found = result["infrastructure"]
        assert {one["status"] for one in found["connection"].values()} == {status}
        assert set(found["connection"]) == {"admin", "readonly"}
        assert (found["admin_username"], found["readonly_username"]) == ("deployer", "reader")


def test_what_cannot_be_found_out_is_said(run: Caller) -> None:
    failed = run.fails("infrastructure", **VCENTER, state="absent")
    assert "does not list infrastructures" in failed["msg"]
    assert "connected first" not in failed["msg"]
    assert "Connect it first" in run.fails("infrastructure", **VCENTER, state="refreshed")["hint"]
    assert "No infrastructure has the id" in run.fails("infrastructure", infrastructure_id="unknown")["msg"]


def test_connected_elsewhere(run: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    trust(run, "VMWARE", VCENTER["address"])
    known = run("infrastructure", **VCENTER, **account("VMWARE"))["infrastructure"]["id"]
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "another machine"))
    failed = run.fails("infrastructure", **VCENTER, **account("VMWARE"))
    assert failed["status"] == 409
    assert "give its infrastructure_id" in failed["hint"]
    assert "has the type VMWARE" in run.fails(
        "infrastructure", infrastructure_id=known, type="HYPERV", address="vcenter.example.com", **account("HYPERV")
    )["msg"]  # fmt: skip
    run("infrastructure", infrastructure_id=known, admin_username="other", admin_password="Other-Secret-1")
    assert "connected with admin_username 'deployer', not 'other'" in run.warnings[-1]


def test_a_wait_that_is_too_short(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(connection_seconds=30)
    trust(run, "VMWARE", VCENTER["address"])
    failed = run.fails("infrastructure", **VCENTER, **account("VMWARE"), wait_timeout=0.3)
    assert "admin CONNECTING" in failed["msg"]
    assert failed["infrastructure_id"]
    started = run("infrastructure", infrastructure_id=failed["infrastructure_id"], wait=False)
    assert not started["changed"]
    assert started["remaining"] == ["wait for the connection"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"type": "VMWARE"}, "both type and address"),
        ({**VCENTER}, "admin_username and admin_password are required"),
        ({**VCENTER, "admin_username": "a"}, "admin_password is missing"),
        ({**VCENTER, **account("VMWARE"), "region": "r"}, "for the OpenStack family only"),
        ({**KEYSTONE, "admin_username": "a", "admin_password": "b"}, "protocol and admin_domain are required"),
        ({**VCENTER, **account("VMWARE"), "address": " "}, "address is empty"),
        ({**VCENTER, **account("VMWARE"), "cancel_on_timeout": True}, "cancel_on_timeout"),
    ],
)
def test_bad_input(run: Caller, arguments: dict[str, Any], message: str) -> None:
    assert message in run.fails("infrastructure", **arguments)["msg"]
    assert run.simulator.requests() == []


def test_reading_an_infrastructure(run: Caller, simulator: RunningSimulator) -> None:
    simulator.seed(infrastructures=[{**VCENTER, "id": "v1"}])
    found = run("infrastructure_info", infrastructure_id="v1", object_types=["Host", "SVM"], detail="detailed")
    assert run.sent("GET", "/objects")[-1]["query"] == "objectTypes=Host+SVM&outputType=DetailedInfo"
    host = found["locations"][0]
    assert host["parent_id"] == "v1"
    assert host["resources"]["storages"][0]["free_space"] > 0
    brief = run("infrastructure_info", infrastructure_id="v1")
    assert run.sent("GET", "/objects")[-1]["query"] == ""
    assert [one["id"] for one in brief["locations"]] == [one["id"] for one in found["locations"]]
    assert run("infrastructure_info", infrastructure_id="v1", object_id=host["id"])["object"]["name"] == host["name"]
    assert run("infrastructure_info", infrastructure_id="v1", object_id="none")["object"] is None
    assert run.fails("infrastructure_info", infrastructure_id="v2")["status"] == 404


# ---- images and tokens --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["NUMAVSERVER", "NUMAVERSER", "both"])
def test_both_spellings_of_numa(run: Caller, simulator: RunningSimulator, spelling: str) -> None:
    simulator.configure(numa_image_type=spelling)
    result = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["NUMAVSERVER", "XEN"])
    assert result["image"]["infrastructure_types"] == ["NUMAVSERVER", "XEN"]
    assert len(run.sent("POST", "/manifest")) == (2 if spelling == "NUMAVERSER" else 1)
    simulator.configure(numa_image_type="NUMAVSERVER")


def test_an_image_that_is_not_authentic(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(image_damaged=True)
    failed = run.fails("svm_image", manifest_path=MANIFEST, infrastructure_types=["XEN"])
    simulator.configure(image_damaged=False)
    assert failed["image"]["id"]
    assert failed["task"]["state"] == "Failed"
    assert "Do not deploy it" in failed["hint"]


def test_an_image_is_registered_once_where_images_are_listed(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(list_images=True)
    assert run.predicted("svm_image", manifest_path=MANIFEST, infrastructure_types=["XEN"])["changed"]
    first = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["XEN"])
    again = run("svm_image", manifest_path=MANIFEST, infrastructure_types=["XEN"])
    assert first["changed"]
    assert not again["changed"]
    assert first["image"] == again["image"]
    simulator.configure(list_images=False)
    assert not run("svm_image", image_id=first["image"]["id"])["changed"]
    failed = run.fails("svm_image", image_id="unknown")
    assert failed["status"] == 404
    assert "No image has the id unknown" in failed["msg"]


def test_a_token_for_other_tasks(run: Caller, simulator: RunningSimulator) -> None:
    simulator.seed(infrastructures=[{**VCENTER, "id": "v1"}])
    login = run("token")
    assert set(login["session"]) == {"id", "created_at", "updated_at", "active_to", "valid_to"}
    assert run("infrastructure_info", infrastructure_id="v1", access_token=login["access_token"], password=None)
    failed = run.fails("infrastructure_info", infrastructure_id="v1", access_token="wrong", password=None)
    assert failed["status"] == 401
    assert "ksvla_token" in failed["hint"]
    assert run("infrastructure_info", infrastructure_id="v1", access_token="wrong"), "with a password it logs in again"
    assert run.fails("token", password="wrong")["status"] in (401, 403)
    assert "password is required" in run.fails("token", password=None, access_token="x")["msg"]
