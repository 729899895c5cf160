# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration as AWX holds it, an AWX that runs its jobs, and a simulator."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from awx.support.awx import Awx
from awx.support.configuration import Configuration, configuration
from integration.support.playbooks import Json
from support.secrecy import forms_of

from simulator.testing import RunningSimulator, running_simulator

SECRETS = {
    "multitenancy": "Quartz & Heron/41",
    "admin": "Basalt \\ Finch%73",
    "infrastructure": "Gneiss <Stork> 29",
    "root": 'Slate+"Wren"58',
    "klconfig": "Flint'Crane'86",
    "tenant": "Schist & <Robin> 64",
}


@pytest.fixture(scope="session")
def session_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    """The simulator of this test process."""
    with running_simulator(
        directory=tmp_path_factory.mktemp("simulator"),
        task_seconds=0,
        multitenancy_password=SECRETS["multitenancy"],
        admin_password=SECRETS["admin"],
    ) as simulator:
        yield simulator


@pytest.fixture
def simulator(session_simulator: RunningSimulator) -> RunningSimulator:
    """A simulator without tenants, faults and journal."""
    session_simulator.reset()
    session_simulator.clear_faults()
    session_simulator.clear_task_faults()
    session_simulator.clear_requests()
    return session_simulator


@pytest.fixture(scope="session")
def made(session_simulator: RunningSimulator, tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    """What configure_awx brings into AWX, the same for all test processes."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if base.name.startswith("popen-") else base) / "awx"
    settings: Json = {
        "ksvla_awx_webhook": "https://chat.example.com/hook",
        "ksvla_awx_host": "ksv.example.com",
        "ksvla_awx_ca": "-----BEGIN CERTIFICATE-----\n",
        "ksvla_awx_infrastructure_username": "ksv-deploy",
        "ksvla_awx_infrastructure_password": SECRETS["infrastructure"],
        "ksvla_awx_svm_root_password": SECRETS["root"],
        "ksvla_awx_svm_klconfig_password": SECRETS["klconfig"],
        "ksvla_awx_tenant_passwords": f"Northwind: {SECRETS['tenant']}\n",
    }
    return configuration(folder, session_simulator, settings)


@pytest.fixture
def awx(made: Configuration, simulator: RunningSimulator, tmp_path: Path) -> Awx:
    """An AWX whose credentials lead to the simulator, and whose folders that stay are those of the test."""
    stays = tmp_path / "stays"
    stays.mkdir()
    server = {
        "host": simulator.host,
        "port": str(simulator.port),
        "ca": Path(simulator.ca_path).read_text("utf-8"),
        "state_dir": str(stays),
    }
    credentials = {name: dict(one) for name, one in made["credential"].items()}
    for name in ("multitenancy", "admin"):
        one = credentials[f"KSV LA {name}"]
        one["inputs"] = {**one["inputs"], **server, "password": SECRETS[name]}
    templates = {name: dict(one) for name, one in made["job_template"].items()}
    for one in templates.values():
        folders = {
            "ksvla_report_dir": str(stays),
            "ksvla_svm_state_file": str(stays / "svms.yml"),
            "ksvla_drift_report": str(stays / "drift.md"),
        }
        own = one.get("extra_vars", {})
        one["extra_vars"] = {**own, **{key: value for key, value in folders.items() if key in own}}
    imported = {**made, "credential": credentials, "job_template": templates}
    return Awx(imported, tmp_path / "awx", forms_of(SECRETS, ["admin", "multitenancy"]))
