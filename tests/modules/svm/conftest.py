# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of SVMs start from: a VMware and an OpenStack infrastructure, and an image for both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from support.svm import Caller, KilledError, SimulatedClock
from support.svm_deployments import connected, registered_image

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.calls import SvmManagementApi
from simulator.testing import RunningSimulator


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    """Calls modules, with a clock that no one waits for and that moves the simulator's tasks along."""
    with connected(simulator) as made:
        made.clock = SimulatedClock(simulator)
        made.wait_timeout, made.wait_sleep = 3600, 5
        yield made


@pytest.fixture
def image_id(run: Caller) -> str:
    """An image for both infrastructures."""
    return registered_image(run)


@pytest.fixture
def killed(run: Caller, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Runs the module ksvla_svm and kills it right after its request was sent, before its answer is there."""
    change = SvmManagementApi.change_svms

    def send_only(api: SvmManagementApi, method: str, wanted: Mapping[str, Any]) -> None:
        change(api, method, wanted)
        raise KilledError

    def run_it(**arguments: Any) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(SvmManagementApi, "change_svms", send_only)
            with pytest.raises(KilledError):
                run.raw("svm", **arguments)

    return run_it
