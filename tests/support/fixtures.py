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
from support.svm import Caller, caller
from support.web import FakeClock, WebServer, logged_in, settings, web_server

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import MultitenancyApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import Connection
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
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "home"))


@pytest.fixture
def clock() -> FakeClock:
    """A clock that no one waits for, to be given through a context."""
    return FakeClock()


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """A certificate for loopback, with the authority that signed it."""
    return prepare_tls(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture
def server(tls: Tls) -> Iterator[WebServer]:
    """An HTTPS server that answers as the test says."""
    with web_server(tls) as running:
        yield running


@pytest.fixture
def connect(server: WebServer, tls: Tls, clock: FakeClock) -> Iterator[Callable[..., Session]]:
    """Makes sessions with the server, whose connections are closed at the end of the test."""
    connections: list[Connection] = []

    def make(**changes: Any) -> Session:
        given = {"host": server.host, "port": server.port, "ca_path": str(tls.ca_path), **changes}
        connections.append(logged_in(settings(**given)))
        connections[-1].clock = clock
        return Session(connections[-1])

    yield make
    for connection in connections:
        connection.close()


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
def instantly(simulator: RunningSimulator) -> None:
    """The simulator connects infrastructures at the next look."""
    simulator.configure(connection_seconds=0)


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    """Calls modules."""
    with caller(simulator) as made:
        yield made


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[MultitenancyApi]:
    """API 2.0 of the empty simulator; requests are repeated twice."""
    connection = logged_in(
        settings(
            host=simulator.host,
            port=simulator.port,
            ca_path=simulator.ca_path,
            password=simulator.multitenancy_password,
            retries=2,
        )
    )
    yield MultitenancyApi(Session(connection))
    connection.close()
