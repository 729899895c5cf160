# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The static addressing of a network adapter, from the options of the module to what is sent."""

from __future__ import annotations

import json

from support.svm import Caller, svm
from support.svm_deployments import CLOUD, host_svm, registered_image


def test_the_mask_is_sent_dotted(run: Caller) -> None:
    wanted = host_svm("svm-01", "192.0.2.51")
    wanted["networks"][0]["mask"] = "24"
    run("svm", image_id=registered_image(run), svms=[wanted])
    body = json.loads(run.sent("POST", "/deployment/svm/")[-1]["body"])
    assert body["svms"][0]["settings"]["networks"][0]["mask"] == "255.255.255.0"


def test_an_adapter_of_ipv6_is_planned(run: Caller) -> None:
    image_id = registered_image(run)
    wanted = svm("OPENSTACK", CLOUD, "svm-01", dns={"main": "2001:db8::2"})
    wanted["networks"][0] |= {"ip_addresses": ["2001:db8::51"], "mask": "64", "gateway": "fe80::1"}
    assert run.predicted("svm", image_id=image_id, svms=[wanted])["svms"][0]["action"] == "deployed"


def test_nothing_is_sent_with_a_gateway_elsewhere(run: Caller) -> None:
    image_id = registered_image(run)
    run.simulator.clear_requests()
    wanted = host_svm("svm-01", "192.0.2.51")
    wanted["networks"][0]["gateway"] = "198.51.100.1"
    failed = run.fails("svm", image_id=image_id, svms=[wanted])
    assert "svms[0].networks[0].gateway is not in the network" in failed["msg"]
    assert run.simulator.requests() == []
