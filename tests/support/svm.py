# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls the functions of the modules of SVM management as Ansible does: arguments validated, then the function."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import SYSTEM_CLOCK, Clock
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.context import Context
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import (
    ModuleDefinition,
    execute,
    refusal,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import ConnectionPool
from simulator.testing import RunningSimulator

OPENSTACK = ("OPENSTACK", "TIONIXOPENSTACK", "VKCLOUDOPENSTACK")
HTTPS_PORTS = {
    "XEN": 443,
    "NUMAVSERVER": 443,
    "PROXMOX": 8006,
    "VMWARE": 443,
    "ROSPLATFORMA": 443,
    "BASISVCONTROL": 443,
    "NUTANIXPRISM": 9440,
    "FUSIONCOMPUTE": 7443,
}
SSH_TYPES = ("PROXMOX", "LIBVIRT", "ALTVIRTUALIZATIONSERVER", "ASTRALINUX")
PLATFORMS = ("HYPERV", *HTTPS_PORTS, "LIBVIRT", "ALTVIRTUALIZATIONSERVER", "ASTRALINUX", *OPENSTACK)
MANIFEST = "/srv/images/svm.xml"


class KilledError(BaseException):
    """Ends a run where a killed process ends."""


class SimulatedClock(FakeClock):
    """A clock that no one waits for: sleeping moves it, and the simulator's clock with it."""

    def __init__(self, simulator: RunningSimulator) -> None:
        super().__init__()
        self._simulator = simulator

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._simulator.advance(seconds)


@dataclass
class Caller:
    """Runs modules against a simulator."""

    simulator: RunningSimulator
    pool: ConnectionPool = field(default_factory=ConnectionPool)
    warnings: list[str] = field(default_factory=list)
    progress: list[tuple[str, str]] = field(default_factory=list)
    clock: Clock = SYSTEM_CLOCK
    wait_timeout: float = 20
    wait_sleep: float = 0.05

    def raw(self, module: str, *, check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
        """Return the result, also of a failure."""
        given = {
            "host": self.simulator.host,
            "port": self.simulator.port,
            "ca_path": self.simulator.ca_path,
            "password": self.simulator.admin_password,
            **arguments,
        }
        definition: ModuleDefinition = import_module(
            f"ansible_collections.ksvla.light_agent.plugins.modules.ksvla_{module}"
        ).DEFINITION
        if "wait_sleep" in definition.options:
            given = {"wait_sleep": self.wait_sleep, "wait_timeout": self.wait_timeout, **given}
        message = refusal(definition, given)
        if message is not None:
            return {"failed": True, "changed": False, "msg": message}
        validation = ArgumentSpecValidator(definition.options, **definition.rules()).validate(given)
        if validation.error_messages:
            return {"failed": True, "changed": False, "msg": "; ".join(validation.error_messages)}
        context = Context(
            check_mode=check_mode,
            diff=True,
            warn=self.warnings.append,
            progress=lambda subject, text: self.progress.append((subject, text)),
            connections=self.pool,
            clock=self.clock,
        )
        return execute(definition, validation.validated_parameters, context)

    def __call__(self, module: str, **arguments: Any) -> dict[str, Any]:
        """Return the result of a success."""
        result = self.raw(module, **arguments)
        assert not result.get("failed"), result
        return result

    def fails(self, module: str, **arguments: Any) -> dict[str, Any]:
        """Return the result of a failure on purpose."""
        result = self.raw(module, **arguments)
        assert result.get("failed"), result
        assert "exception" not in result, result["exception"]
        return result

    def predicted(self, module: str, **arguments: Any) -> dict[str, Any]:
        """Return what check mode says; nothing may be written."""
        before = len(self.simulator.requests())
        result = self(module, check_mode=True, **arguments)
        sent = self.simulator.requests()[before:]
        assert {request["method"] for request in sent} <= {"GET"}, sent
        return result

    def sent(self, method: str, path: str) -> list[dict[str, Any]]:
        """Return the requests of that method whose path ends so."""
        return [one for one in self.simulator.requests() if one["method"] == method and one["path"].endswith(path)]


@contextmanager
def caller(simulator: RunningSimulator) -> Iterator[Caller]:
    """Give a caller whose connections are closed at the end."""
    made = Caller(simulator)
    try:
        yield made
    finally:
        made.pool.close()


def account(platform: str, **more: Any) -> dict[str, Any]:
    """Return the options that connect an infrastructure."""
    given = {"admin_username": "deployer", "admin_password": "Infra-Secret-1", **more}
    if platform in OPENSTACK:
        given |= {"protocol": "https", "region": "RegionOne", "admin_domain": "Default"}
    return given


def svm(platform: str, infrastructure_id: str, name: str = "svm-01", **more: Any) -> dict[str, Any]:
    """Return one SVM, with names in the place of ids."""
    openstack = platform in OPENSTACK
    network: dict[str, Any] = {
        "network": "management" if openstack else "Management",
        "addressing": "static",
        "ip_addresses": ["192.0.2.51"],
        "mask": "255.255.255.0",
        "gateway": "192.0.2.1",
    }
    if openstack:
        network["security_groups"] = ["svm"]
    place = {"location": "project-01", "flavor": "svm.small"} if openstack else {"location": "hypervisor-01"}
    if not openstack:
        place["storage"] = "datastore-1"
    return {
        "name": name,
        "infrastructure_id": infrastructure_id,
        **place,
        "networks": [network],
        "dns": {"main": "192.0.2.2"},
        "ksc": {"address": "ksc.example.com", "port": 14000, "ssl_port": 13000, "language": "en"},
        "root_password": "Root-Secret-1",
        "klconfig_password": "Klconfig-Secret-1",
        **more,
    }


def trust(run: Callable[..., dict[str, Any]], platform: str, address: str) -> None:
    """Trust everything that the connection with an infrastructure verifies."""
    addresses = [(f"{address}:{HTTPS_PORTS[platform]}", "https")] if platform in HTTPS_PORTS else []
    if platform in SSH_TYPES:
        addresses.append((f"{address}:22", "ssh"))
    if platform in OPENSTACK:
        addresses.append((f"{address}:5000", "https"))
    for each, kind in addresses:
        run("trusted_certificate", address=each, kind=kind, trust_on_first_use=True)
