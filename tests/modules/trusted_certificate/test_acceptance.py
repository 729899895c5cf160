# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the Integration Server says of a certificate, isAccepted, and what it does when it connects."""

from __future__ import annotations

import pytest
from modules.infrastructure.test_platforms import test_life as whole_life
from support.svm import PLATFORMS, Caller, account, trust

from simulator.testing import RunningSimulator

pytestmark = pytest.mark.usefixtures("instantly")
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
KEYSTONE = {"type": "OPENSTACK", "address": "keystone.example.com"}
ADDRESS = "vcenter.example.com:443"


@pytest.mark.parametrize("lost", [None, "drop_before", "drop_after"])
def test_a_certificate_that_is_added_and_not_called_accepted(
    run: Caller, simulator: RunningSimulator, lost: str | None
) -> None:
    simulator.configure(certificate_accepted="never", certificate_errors={ADDRESS: "Expired | Weak key"})
    if lost:
        simulator.fault(method="POST", path="rules$", kind=lost, times=1)
    result = run("trusted_certificate", address=ADDRESS, trust_on_first_use=True)
    assert result["changed"]
    assert result["certificate"]["accepted"] is False
    assert result["certificate"]["errors"] == ["Expired", "Weak key"]
    (warning,) = run.warnings
    assert ADDRESS in warning
    assert "Expired; Weak key" in warning
    assert "when the infrastructure is connected" in warning
    assert run("infrastructure", **VCENTER, **account("VMWARE"))["changed"]


def test_a_server_that_gives_no_reason(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(certificate_accepted="never")
    run("trusted_certificate", address="kvm.example.com:22", kind="ssh", trust_on_first_use=True)
    assert "it gives no reason" in run.warnings[-1]
    assert "SSH key" in run.warnings[-1]


def test_what_is_accepted_is_added_by_no_rule(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(certificate_accepted="always")
    result = run("trusted_certificate", address=ADDRESS, trust_on_first_use=True)
    assert not result["changed"]
    assert not run.sent("POST", "/rules")
    assert run.warnings == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_life_where_nothing_is_called_accepted(run: Caller, simulator: RunningSimulator, platform: str) -> None:
    simulator.configure(certificate_accepted="never", reconnect_seconds=0)
    whole_life(run, platform)


@pytest.mark.parametrize("accepted", ["never", "always"])
@pytest.mark.parametrize("platform", ["VMWARE", "PROXMOX", "LIBVIRT"])
def test_a_refused_connection_names_the_certificate_whatever_is_accepted(
    run: Caller, simulator: RunningSimulator, platform: str, accepted: str
) -> None:
    simulator.configure(certificate_accepted=accepted, certificate_errors={"*": "Expired"})
    failed = run.fails("infrastructure", type=platform, address="infra.example.com", **account(platform))
    assert failed["error_code"] == "INVALID_CERTIFICATE"
    ports = {"VMWARE": ["443"], "PROXMOX": ["8006", "22"], "LIBVIRT": ["22"]}[platform]
    assert [one["address"] for one in failed["untrusted"]] == [f"infra.example.com:{port}" for port in ports]
    for one in failed["untrusted"]:
        assert one["kind"] == ("ssh" if one["address"].endswith(":22") else "https")
        assert f"kind: {one['kind']}, thumbprint: {one['thumbprint']}" in failed["hint"]
        assert one["address"] in failed["hint"]
    assert "Expired" in failed["hint"]
    calls_it_accepted = "The Integration Server calls it accepted, but refuses it" in failed["hint"]
    assert calls_it_accepted is (accepted == "always")
    assert ("ksvla_trusted_certificate" in failed["hint"]) is (accepted == "never")


def test_of_two_the_one_that_is_accepted_is_not_to_blame(run: Caller) -> None:
    run("trusted_certificate", address="pve.example.com:8006", trust_on_first_use=True)
    failed = run.fails("infrastructure", type="PROXMOX", address="pve.example.com", **account("PROXMOX"))
    assert [one["address"] for one in failed["untrusted"]] == ["pve.example.com:22"]


@pytest.mark.parametrize("failure", ["service", "account"])
def test_microservices_that_explain_the_refusal_of_the_account(
    run: Caller, simulator: RunningSimulator, failure: str
) -> None:
    simulator.configure(microservice_failure=failure, certificate_errors={"*": "Expired"})
    trust(run, "OPENSTACK", KEYSTONE["address"])
    failed = run.fails("infrastructure", **KEYSTONE, **account("OPENSTACK"))
    ports = ["8774", "9292", "9696", "8776"]
    assert [one["address"] for one in failed["untrusted"]] == [f"keystone.example.com:{port}" for port in ports]
    simulator.configure(certificate_accepted="always")
    again = run.fails("infrastructure", **KEYSTONE, **account("OPENSTACK"))
    assert again["untrusted"] == failed["untrusted"]
    assert again["hint"].count("calls it accepted, but refuses it") == 4


def test_a_keystone_without_https_has_no_certificate(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(microservice_failure="account", microservice_protocol="https")
    given = {**account("OPENSTACK"), "protocol": "http"}
    failed = run.fails("infrastructure", **KEYSTONE, **given)
    assert "keystone.example.com:5000" not in [one["address"] for one in failed["untrusted"]]
    assert len(failed["untrusted"]) == 4


def test_microservices_at_addresses_of_their_own(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(microservice_addresses={"glance": "glance.example.com:9292", "cinder": "10.0.0.9:443"})
    trust(run, "OPENSTACK", KEYSTONE["address"])
    failed = run.fails("infrastructure", **KEYSTONE, **account("OPENSTACK"))
    assert [one["address"] for one in failed["untrusted"]] == [
        "keystone.example.com:8774",
        "glance.example.com:9292",
        "keystone.example.com:9696",
        "10.0.0.9:443",
    ]
    for one in failed["untrusted"]:
        assert one["thumbprint"] in failed["hint"]
        run("trusted_certificate", **one)
    assert run("infrastructure", **KEYSTONE, **account("OPENSTACK"))["changed"]
