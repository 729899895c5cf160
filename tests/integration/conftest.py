# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulator and a folder for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.support.masks import Mask
from integration.support.playbooks import Playbooks

from simulator.testing import RunningSimulator, running_simulator


@pytest.fixture(scope="session")
def session_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSimulator]:
    """The simulator of this test process."""
    folder = tmp_path_factory.mktemp("simulator")
    with running_simulator(
        directory=folder, task_seconds=0, multitenancy_password="Quartz-Heron-41", admin_password="Basalt-Finch-73"
    ) as simulator:
        yield simulator


@pytest.fixture
def simulator(session_simulator: RunningSimulator) -> RunningSimulator:
    """A simulator without tenants, faults and journal."""
    clean(session_simulator)
    return session_simulator


@pytest.fixture
def playbooks(tmp_path: Path, simulator: RunningSimulator) -> Playbooks:
    """Runs playbooks against the simulator."""
    return Playbooks(tmp_path, simulator)


@pytest.fixture
def mask(tmp_path: Path, simulator: RunningSimulator) -> Mask:
    """Hides what differs from run to run."""
    return new_mask(tmp_path, simulator)


def clean(simulator: RunningSimulator) -> None:
    """Bring a simulator back to how it was at its start."""
    simulator.reset()
    simulator.clear_faults()
    simulator.clear_task_faults()
    simulator.clear_requests()


def new_mask(folder: Path, simulator: RunningSimulator) -> Mask:
    """Return a mask that has seen no ids yet."""
    runs = {f"{folder}/run{number}": "FOLDER" for number in range(1, 10)}
    return Mask({**runs, str(folder): "FOLDER", str(simulator.port): "PORT", simulator.ca_path: "CA"})
