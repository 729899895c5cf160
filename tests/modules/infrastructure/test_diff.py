# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a diff and check mode show of a connection that changes."""

from __future__ import annotations

import pytest
from support.svm import Caller, account, trust

from simulator.testing import RunningSimulator

pytestmark = pytest.mark.usefixtures("instantly")
VCENTER = {"type": "VMWARE", "address": "vcenter.example.com"}
KEYSTONE = {"type": "OPENSTACK", "address": "keystone.example.com"}


def test_waiting_alone_shows_no_difference(run: Caller, simulator: RunningSimulator) -> None:
    trust(run, "VMWARE", VCENTER["address"])
    simulator.configure(connection_seconds=0.3)
    started = run("infrastructure", **VCENTER, **account("VMWARE"), wait=False)
    assert "connected: false" in started["diff"]["after"]
    waited = run("infrastructure", infrastructure_id=started["infrastructure"]["id"])
    assert waited["infrastructure"]["connection"]["admin"]["status"] == "CONNECTED"
    assert not waited["changed"]
    assert waited["diff"]["before"] == waited["diff"]["after"]


def test_what_is_tried_again_is_predicted_with_its_microservices(run: Caller, simulator: RunningSimulator) -> None:
    simulator.configure(microservice_failure="account")
    trust(run, "OPENSTACK", KEYSTONE["address"])
    failed = run.fails("infrastructure", **KEYSTONE, **account("OPENSTACK"), test_connection=False)
    for one in failed["untrusted"]:
        run("trusted_certificate", **one)
    known = failed["infrastructure_id"]
    predicted = run.predicted("infrastructure", infrastructure_id=known)
    services = predicted["infrastructure"]["connection"]["admin"]["services"]
    assert [(one["status"], one["error"]) for one in services] == [("CONNECTED", "NO_ERROR")] * 4
    tried = run("infrastructure", infrastructure_id=known)
    assert predicted["changed"]
    assert predicted["diff"] == tried["diff"]
    assert "connected: false" in tried["diff"]["before"]
    assert "connected: true" in tried["diff"]["after"]
