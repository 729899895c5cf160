# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the unit tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from support.web import FakeTime, WebServer, settings, web_server

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import (
    MultitenancyApi,
    open_session,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report import download as _report_download
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report import generate as _report_task
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_vm import apply as _vm_apply
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks import starter as _starter
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport import authentication as _authentication
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport import session as _session
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from simulator.testing import RunningSimulator, running_simulator
from simulator.tls import Tls, prepare_tls

# How long an example takes says more about what else runs on the machine than about the code.
hypothesis.settings.register_profile(
    "shared machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("shared machine")

_VARIABLES = ("KSVLA_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the machine's environment reaches a test, and nothing of a test the machine's home."""
    for name in list(os.environ):
        if name.upper().startswith(_VARIABLES) or name == "NETRC":
            monkeypatch.delenv(name)
    monkeypatch.setenv("KSVLA_JOURNAL", str(tmp_path / "journal"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeTime:
    """The time of everything that pauses; nobody waits for it."""
    fake = FakeTime()
    for module in (_session, _starter, _vm_apply, _report_download, _report_task):
        monkeypatch.setattr(module, "time", fake)
    return fake


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for loopback, with the authority that signed it."""
    return prepare_tls(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture
def server(tls: Tls) -> Iterator[WebServer]:
    """An HTTPS server that answers as it is told."""
    with web_server(tls) as running:
        yield running


@pytest.fixture
def connect(server: WebServer, tls: Tls) -> Iterator[Callable[..., Session]]:
    """Makes sessions with the server, closed at the end of the test."""
    sessions: list[Session] = []

    def make(**changes: Any) -> Session:
        given = {"host": server.host, "port": server.port, "ca_path": str(tls.ca_path), **changes}
        chosen = settings(**given)
        sessions.append(Session(chosen, _authentication.basic(chosen.username or "", chosen.password or "")))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


@pytest.fixture(scope="session")
def shared_simulator() -> Iterator[RunningSimulator]:
    """One simulator whose tasks end at the next look."""
    with running_simulator(task_seconds=0) as simulator:
        yield simulator


@pytest.fixture
def simulator(shared_simulator: RunningSimulator) -> RunningSimulator:
    """An empty simulator."""
    shared_simulator.reset()
    shared_simulator.clear_faults()
    shared_simulator.clear_requests()
    return shared_simulator


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[MultitenancyApi]:
    """API 2.0 of the empty simulator; requests are repeated twice."""
    session = open_session(
        settings(
            host=simulator.host,
            port=simulator.port,
            ca_path=simulator.ca_path,
            password=simulator.multitenancy_password,
            retries=2,
        )
    )
    yield MultitenancyApi(session)
    session.close()
