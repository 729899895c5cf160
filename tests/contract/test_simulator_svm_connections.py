# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 3.0: tokens, certificates and SSH keys, and the life of a connection on every platform."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from contract.svm_client import HTTPS_PORTS, OPENSTACK, SSH_PORTS, TYPES, SvmClient, connection, encode

from simulator.testing import RunningSimulator, running_simulator

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[SvmClient]:
    simulator.configure(connection_seconds=0)
    with SvmClient(simulator) as client:
        yield client


def _info(api: SvmClient, infrastructure_id: str, account: str = "admin") -> Any:
    return api.get(f"/infrastructures/{infrastructure_id}")["connectionInfo"][account]


# ---- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_as_the_page_shows_it(api: SvmClient, simulator: RunningSimulator) -> None:
    answer = api.session.get(f"{api.base}/auth/tokens", auth=("admin", simulator.admin_password), timeout=20)
    body = answer.json()
    assert list(body) == ["accessToken", "refreshToken", "session"]
    assert list(body["session"]) == ["id", "createdAt", "updatedAt", "activeTo", "validTo"]
    assert body["session"]["createdAt"] < body["session"]["validTo"]


@pytest.mark.parametrize("name", ["admin", "multitenancy", "stranger"])
def test_wrong_credentials(api: SvmClient, simulator: RunningSimulator, name: str) -> None:
    password = simulator.multitenancy_password if name == "multitenancy" else "wrong"
    answer = requests.get(f"{api.base}/auth/tokens", auth=(name, password), verify=simulator.ca_path, timeout=20)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


def test_calls_need_a_bearer_token(api: SvmClient, simulator: RunningSimulator) -> None:
    url, auth = f"{api.base}/infrastructures/{UNKNOWN}", ("admin", simulator.admin_password)
    assert requests.get(url, auth=auth, verify=simulator.ca_path, timeout=20).status_code == 401
    assert requests.get(url, verify=simulator.ca_path, timeout=20).status_code == 401
    api.session.headers["Authorization"] = "Bearer invented"
    assert api.call("GET", f"/infrastructures/{UNKNOWN}").status_code == 401


def test_tokens_are_revoked(api: SvmClient, simulator: RunningSimulator) -> None:
    (token,) = simulator.access_tokens()
    simulator.fault(kind="revoke")
    assert api.call("GET", f"/infrastructures/{UNKNOWN}").status_code == 401
    assert simulator.access_tokens() == [token]
    simulator.reset()
    assert simulator.access_tokens() == []


def test_tokens_expire(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.configure(token_seconds=60.0)
    api.login()
    path = f"/infrastructures/{UNKNOWN}"
    assert api.call("GET", path).status_code == 404
    simulator.configure(clock_offset=61.0)
    assert api.call("GET", path).status_code == 401
    api.login()
    assert api.call("GET", path).status_code == 404


# ---- certificates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "address"), [("sslConfig/getCertificate", "vc.example:443"), ("sshConfig/getSshKey", "[2001:db8::7]:22")]
)
def test_a_certificate_before_and_after_it_is_trusted(api: SvmClient, call: str, address: str) -> None:
    found = api.get(f"/{call}?address={address}")
    assert list(found) == ["address", "thumbprint", "data", "viisValidationResult"]
    assert found["address"] == address
    assert found["viisValidationResult"] == {"isAccepted": False, "validationWarnings": [], "validationErrors": []}
    api.trust(address, ssh=call.startswith("ssh"))
    again = api.get(f"/{call}?address={address}")
    assert again["viisValidationResult"]["isAccepted"] is True
    assert (again["thumbprint"], again["data"]) == (found["thumbprint"], found["data"])
    other = address.replace("7]", "8]").replace("vc", "vd")
    assert api.get(f"/{call}?address={other}")["thumbprint"] != found["thumbprint"]


@pytest.mark.parametrize(
    "path",
    [
        "/sslConfig/getCertificate?address=kvm.example:22",
        "/sshConfig/getSshKey?address=vc.example:443",
        "/sslConfig/getCertificate?address=vc.example",
        "/sslConfig/getCertificate?address=vc.example:70000",
        "/sslConfig/getCertificate",
        "/sslConfig/getCertificate?address=vc.example:443&port=443",
        "/sslConfig/getCertificate?address=999.1.1.1:443",
    ],
)
def test_no_certificate(api: SvmClient, path: str) -> None:
    assert api.refused("GET", path)


def test_what_the_validation_says_can_be_set(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.configure(
        certificate_warnings={"*": "Expires soon | Weak key"},
        certificate_errors={"vc.example:443": "The chain is incomplete"},
        certificate_accepted="always",
        address_kinds={"gone.example": "none", "kvm.example:443": "ssh"},
        thumbprint_style="colons",
    )
    found = api.get("/sslConfig/getCertificate?address=vc.example:443")
    assert found["viisValidationResult"] == {
        "isAccepted": True,
        "validationWarnings": ["Expires soon", "Weak key"],
        "validationErrors": ["The chain is incomplete"],
    }
    assert found["thumbprint"].count(":") == 19
    assert api.refused("GET", "/sslConfig/getCertificate?address=gone.example:443")
    assert api.get("/sshConfig/getSshKey?address=kvm.example:443")


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"address": "vc.example:443"}, "thumbprint"),
        ({"address": "vc.example:443", "thumbprint": ""}, "thumbprint"),
        ({"address": "vc.example", "thumbprint": "AB"}, "address"),
        ({"address": "vc.example:443", "thumbprint": "AB", "kind": "https"}, "kind"),
        ([], "The body"),
    ],
)
def test_rules_are_read_strictly(api: SvmClient, body: Any, named: str) -> None:
    assert named in api.refused("POST", "/sslConfig/certificateValidator/rules", body)


# ---- connecting ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", TYPES)
def test_every_platform_connects_once_it_is_trusted(api: SvmClient, kind: str) -> None:
    host = "10.1.2.3"
    needed = [(HTTPS_PORTS, False), (SSH_PORTS, True)]
    infrastructure_id = api.add(kind, host, read_only=True)["infrastructureId"]
    reader = "readonly" if kind in OPENSTACK else "readOnly"
    for ports, ssh in needed:
        if kind not in ports:
            continue
        for account in ("admin", reader):
            info = _info(api, infrastructure_id, account)
            assert (info["status"], info["connectionError"]) == ("DISCONNECTED", "INVALID_CERTIFICATE")
        api.trust(f"{host}:{ports[kind]}", ssh=ssh)
        assert api.call("POST", f"/infrastructures/{infrastructure_id}/refresh").status_code == 200
    for account in ("admin", reader):
        info = _info(api, infrastructure_id, account)
        assert (info["status"], info["connectionError"]) == ("CONNECTED", "NO_ERROR")
    assert _info(api, infrastructure_id, reader)["updatePeriodSeconds"] == (0 if kind in OPENSTACK else 10)


def test_connecting_takes_its_time(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.configure(connection_seconds=30.0)
    made = api.add("HYPERV", "hv.example")
    assert list(made) == ["infrastructureId", "type", "address", "accounts", "connectionInfo"]
    assert made["accounts"] == {"admin": {"name": "root"}}
    assert made["connectionInfo"] == {
        "admin": {"status": "CONNECTING", "connectionError": "NO_ERROR", "errorMessage": ""}
    }
    path = f"/infrastructures/{made['infrastructureId']}"
    assert api.get(path)["connectionInfo"]["admin"]["status"] == "CONNECTING"
    assert api.refused("GET", f"{path}/objects", status=409)
    simulator.configure(clock_offset=31.0)
    shown = api.get(path)
    assert shown["connectionInfo"]["admin"]["status"] == "CONNECTED"
    assert shown["displayName"] == shown["name"]
    assert api.call("POST", f"{path}/refresh").status_code == 200
    assert api.get(path)["connectionInfo"]["admin"]["status"] == "CONNECTING"
    assert api.get(f"{path}/objects")["locations"]


def test_another_port_needs_its_own_certificate(api: SvmClient) -> None:
    api.trust("vc.example:443")
    infrastructure_id = api.add("VMWARE", "vc.example:9443")["infrastructureId"]
    assert _info(api, infrastructure_id)["connectionError"] == "INVALID_CERTIFICATE"
    api.trust("vc.example:9443")
    api.call("POST", f"/infrastructures/{infrastructure_id}/refresh")
    assert _info(api, infrastructure_id)["status"] == "CONNECTED"


def test_a_changed_certificate_is_not_trusted(api: SvmClient, simulator: RunningSimulator) -> None:
    infrastructure_id = api.connected("VMWARE", "vc.example")
    simulator.configure(certificate_versions={"vc.example:443": "2"})
    api.call("POST", f"/infrastructures/{infrastructure_id}/refresh")
    assert _info(api, infrastructure_id)["connectionError"] == "INVALID_CERTIFICATE"


@pytest.mark.parametrize("error", ["SERVER_ERROR", "NETWORK_ERROR", "ACCESS_DENIED", "UNAUTHORIZED"])
@pytest.mark.parametrize("kind", ["HYPERV", "OPENSTACK"])
def test_documented_errors_by_account(api: SvmClient, simulator: RunningSimulator, kind: str, error: str) -> None:
    simulator.configure(connection_errors={"10.0.0.1@readOnly": error}, read_only_key="readonly")
    body = api.add(kind, "10.0.0.1", read_only=True, **({"protocol": "http"} if kind in OPENSTACK else {}))
    shown = api.get(f"/infrastructures/{body['infrastructureId']}")["connectionInfo"]
    assert (shown["admin"]["status"], shown["admin"]["connectionError"]) == ("CONNECTED", "NO_ERROR")
    assert (shown["readonly"]["status"], shown["readonly"]["connectionError"]) == ("DISCONNECTED", error)


@pytest.mark.parametrize("kind", ["XEN", "NUMAVSERVER"])
def test_a_secondary_server_names_its_primary(api: SvmClient, simulator: RunningSimulator, kind: str) -> None:
    simulator.configure(secondary_servers={"10.0.0.2": "10.0.0.1"})
    api.trust("10.0.0.2:443")
    infrastructure_id = api.add(kind, "10.0.0.2", read_only=True)["infrastructureId"]
    for account in ("admin", "readOnly"):
        info = _info(api, infrastructure_id, account)
        assert (info["status"], info["connectionError"]) == ("DISCONNECTED", "NETWORK_ERROR")
        assert info["details"] == {"primaryServerAddress": "10.0.0.1"}


def test_known_accounts(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.configure(known_accounts={"root": "Secret-1", "reader": "other"})
    infrastructure_id = api.add("HYPERV", "hv.example", read_only=True)["infrastructureId"]
    assert _info(api, infrastructure_id)["connectionError"] == "NO_ERROR"
    assert _info(api, infrastructure_id, "readOnly")["connectionError"] == "UNAUTHORIZED"
    assert "Secret-1" not in str(simulator.state())


def test_a_failed_connection_can_be_tried_again_by_itself(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.configure(reconnect_seconds=30.0)
    infrastructure_id = api.add("VMWARE", "vc.example")["infrastructureId"]
    assert _info(api, infrastructure_id)["connectionError"] == "INVALID_CERTIFICATE"
    api.trust("vc.example:443")
    assert _info(api, infrastructure_id)["connectionError"] == "INVALID_CERTIFICATE"
    simulator.configure(clock_offset=31.0)
    assert _info(api, infrastructure_id)["connectionError"] == "NO_ERROR"


def test_removing(api: SvmClient) -> None:
    path = f"/infrastructures/{api.connected('HYPERV', 'hv.example')}"
    assert api.refused("POST", "/infrastructures", connection("HYPERV", "HV.example"), status=409)
    answer = api.call("DELETE", path)
    assert (answer.status_code, answer.content) == (200, b"")
    for method, target in (("GET", path), ("DELETE", path), ("POST", f"{path}/refresh"), ("GET", f"{path}/objects")):
        assert api.refused(method, target, status=404)
    api.add("HYPERV", "hv.example")


def test_listing_is_off_unless_wanted(api: SvmClient, simulator: RunningSimulator) -> None:
    infrastructure_id = api.connected("HYPERV", "hv.example")
    assert api.refused("GET", "/infrastructures", status=404)
    simulator.configure(list_infrastructures=True)
    assert [each["infrastructureId"] for each in api.get("/infrastructures")] == [infrastructure_id]
    simulator.configure(list_shape="object")
    assert len(api.get("/infrastructures")["infrastructures"]) == 1


@pytest.mark.parametrize(
    ("kind", "changes", "named"),
    [
        ("VMWARE", {"type": "ESXI"}, "type"),
        ("VMWARE", {"type": 7}, "type"),
        ("VMWARE", {"address": ""}, "address"),
        ("VMWARE", {"address": "https://vc"}, "address"),
        ("VMWARE", {"specificSettings": {"protocol": "https"}}, "specificSettings"),
        ("VMWARE", {"accounts": {}}, "accounts"),
        ("VMWARE", {"accounts": {"admin": {"name": "a", "password": "not Base64"}}}, "accounts.admin.password"),
        ("VMWARE", {"accounts": {"admin": {"name": "a"}}}, "accounts.admin.password"),
        ("VMWARE", {"accounts": {"admin": {"name": "a", "password": "YQ==", "domain": "d"}}}, "accounts.admin.domain"),
        ("OPENSTACK", {"accounts": {"admin": {"name": "a", "password": "YQ=="}}}, "accounts.admin.domain"),
        ("OPENSTACK", {"specificSettings": {"protocol": "ftp"}}, "specificSettings.protocol"),
        ("OPENSTACK", {"specificSettings": {"protocol": "http", "region": ""}}, "specificSettings.region"),
    ],
)
def test_bodies_are_read_strictly(api: SvmClient, kind: str, changes: dict[str, Any], named: str) -> None:
    message = api.refused("POST", "/infrastructures", connection(kind, "vc.example", **changes))
    assert message.startswith(f"{named} "), message


def test_bodies_have_to_be_json(api: SvmClient) -> None:
    headers = {"Content-Type": "application/json"}
    for data in ('{"type": "HYPERV", "type": "XEN"}', "{", '{"type": NaN}', b"\xff"):
        answer = api.call("POST", "/infrastructures", data=data, headers=headers)
        assert answer.status_code == 400, data
    assert api.call("POST", "/infrastructures", data="{}").status_code == 415


# ---- OpenStack -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OPENSTACK)
def test_microservices_one_by_one(api: SvmClient, kind: str) -> None:
    body = connection(kind, "10.0.0.5", read_only=True)
    tested = api.call("POST", "/infrastructures/testConnection", body).json()
    assert "infrastructureId" not in tested
    assert tested["connectionInfo"]["admin"]["connectionError"] == "INVALID_CERTIFICATE"
    assert tested["connectionInfo"]["admin"]["details"] == {"regions": []}
    api.trust("10.0.0.5:5000")
    ports = {"compute": 8774, "glance": 9292, "neutron": 9696, "cinder": 8776}
    for done in range(len(ports) + 1):
        tested = api.call("POST", "/infrastructures/testConnection", body).json()
        (region,) = tested["connectionInfo"]["readonly"]["details"]["regions"]
        found = {name: each[0]["error"] for name, each in region["endpoints"].items()}
        expected = dict.fromkeys(ports, "INVALID_CERTIFICATE") | dict.fromkeys(list(ports)[:done], "NO_ERROR")
        assert found == expected
        assert tested["connectionInfo"]["admin"]["status"] == "CONNECTED"
        if done < len(ports):
            address = region["endpoints"][list(ports)[done]][0]["address"]
            assert address == f"10.0.0.5:{list(ports.values())[done]}"
            api.trust(address)


def test_http_needs_no_trust_and_microservices_can_differ(api: SvmClient, simulator: RunningSimulator) -> None:
    body = connection("OPENSTACK", "keystone.example:5001", protocol="http")
    info = api.call("POST", "/infrastructures/testConnection", body).json()["connectionInfo"]["admin"]
    assert info["status"] == "CONNECTED"
    assert "errorMessage" not in info
    simulator.configure(
        microservice_protocol="https",
        microservice_addresses={"glance": "10.0.0.9:443"},
        connection_errors={"neutron": "NETWORK_ERROR"},
        regions_nesting="pages",
        openstack_regions="One,Two",
        microservice_failure="account",
    )
    info = api.call("POST", "/infrastructures/testConnection", body).json()["connectionInfo"]["admin"]
    assert (info["status"], info["connectionError"]) == ("DISCONNECTED", "INVALID_CERTIFICATE")
    assert [region["id"] for region in info["details"]["regions"]] == ["One", "Two"]
    first = info["details"]["regions"][0]
    assert list(first) == ["id", "endpoints", "glance", "neutron", "cinder"]
    assert list(first["endpoints"]) == ["compute"]
    assert (first["glance"][0]["address"], first["neutron"][0]["error"]) == ("10.0.0.9:443", "NETWORK_ERROR")


def test_objects_need_every_microservice(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.configure(connection_errors={"cinder": "SERVER_ERROR"})
    infrastructure_id = api.add("OPENSTACK", "10.0.0.5", protocol="http")["infrastructureId"]
    assert _info(api, infrastructure_id)["status"] == "CONNECTED"
    assert api.refused("GET", f"/infrastructures/{infrastructure_id}/objects", status=409)
    simulator.configure(connection_errors={})
    api.call("POST", f"/infrastructures/{infrastructure_id}/refresh")
    assert len(api.objects(infrastructure_id)["locations"]) == 3


def test_regions(api: SvmClient) -> None:
    body = connection("OPENSTACK", "10.0.0.5", protocol="http", region="Nowhere")
    info = api.call("POST", "/infrastructures/testConnection", body).json()["connectionInfo"]["admin"]
    assert info["connectionError"] == "SERVER_ERROR"
    made = api.add("OPENSTACK", "10.0.0.5", protocol="http", region="RegionOne")
    assert made["specificSettings"] == {"protocol": "http", "region": "RegionOne"}
    assert made["edition"]
    (region,) = made["connectionInfo"]["admin"]["details"]["regions"]
    assert {each[0]["status"] for each in region["endpoints"].values()} == {"CONNECTING"}


def test_only_openstack_is_tested(api: SvmClient) -> None:
    message = api.refused("POST", "/infrastructures/testConnection", connection("VMWARE", "vc.example"))
    assert "VMWARE" in message


# ---- the state file ------------------------------------------------------------------------------------------------


def test_infrastructures_and_trust_outlive_a_restart(tmp_path: Any) -> None:
    state = tmp_path / "state.json"
    with running_simulator(state=state, connection_seconds=0.0) as first, SvmClient(first) as api:
        infrastructure_id = api.connected("PROXMOX", "pve.example")
    text = state.read_text(encoding="utf-8")
    assert encode("Secret-1") not in text
    assert "Secret-1" not in text
    with running_simulator(state=state, connection_seconds=0.0) as second, SvmClient(second) as api:
        assert _info(api, infrastructure_id)["status"] == "CONNECTED"
        api.call("POST", f"/infrastructures/{infrastructure_id}/refresh")
        assert _info(api, infrastructure_id)["status"] == "CONNECTED"
        assert len(api.objects(infrastructure_id)["locations"]) == 3


def test_a_hundred_seeded_infrastructures_are_cheap(api: SvmClient, simulator: RunningSimulator) -> None:
    started = time.monotonic()
    simulator.seed(infrastructures=[{"type": "VMWARE", "address": "vc-{n}.example", "count": 100}])
    simulator.configure(list_infrastructures=True)
    found = api.get("/infrastructures")
    assert time.monotonic() - started < 5.0
    assert len({each["infrastructureId"] for each in found}) == 100
    assert all(each["connectionInfo"]["admin"]["status"] == "CONNECTED" for each in found)
