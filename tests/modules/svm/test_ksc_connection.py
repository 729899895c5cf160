# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an SVM connects to its Administration Server: usual values for a new one, nothing of them for one that is there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.svm import Caller
from support.svm_deployments import HOST, host_svm, registered_image

WHOLE = {"address": "ksc-2.example.com", "port": 14444, "ssl_port": 13333, "language": "ru"}


def _sent(run: Caller, method: str) -> dict[str, Any]:
    body = json.loads(run.sent(method, "/deployment/svm/")[-1]["body"])
    return dict(body["svms"][0]["svmSettings"])


def test_a_new_svm_has_the_usual_ports(run: Caller) -> None:
    wanted = host_svm("svm-01", "192.0.2.51", ksc={"address": "ksc.example.com", "port": 14444})
    run("svm", image_id=registered_image(run), localization="ru", svms=[wanted])
    usual = {"address": "ksc.example.com", "port": "14444", "sslPort": "13000", "language": "ru"}
    assert _sent(run, "POST")["ksc"] == usual


@pytest.mark.parametrize(("missing", "usual"), [("port", "14000"), ("ssl_port", "13000"), ("language", "en")])
def test_usual_values_do_not_move_an_svm_in_silence(run: Caller, missing: str, usual: str) -> None:
    run("svm", image_id=registered_image(run), svms=[host_svm("svm-01", "192.0.2.51", ksc=WHOLE)])
    ksc = {option: value for option, value in WHOLE.items() if option != missing}
    change = {"name": "svm-01", "infrastructure_id": HOST, "klconfig_password": "Klconfig-Secret-1"}
    run("svm", state="reconfigured", svms=[{**change, "ksc": ksc}])
    (warning,) = run.warnings
    assert f"gets {missing} {usual}," in warning
    run.warnings.clear()
    run("svm", state="reconfigured", svms=[{**change, "ksc": WHOLE}])
    whole = {"address": "ksc-2.example.com", "port": "14444", "sslPort": "13333", "language": "ru"}
    assert _sent(run, "PUT")["ksc"] == whole
    run("svm", state="reconfigured", svms=[{**change, "allow_root_ssh": True}])
    assert "ksc" not in _sent(run, "PUT")
    assert run.warnings == []


def test_options_that_cannot_be_changed_are_a_warning(run: Caller) -> None:
    run("svm", image_id=registered_image(run), svms=[host_svm("svm-01", "192.0.2.51", ksc=WHOLE)])
    change = {"name": "svm-01", "infrastructure_id": HOST, "klconfig_password": "Klconfig-Secret-1"}
    run("svm", state="reconfigured", svms=[{**change, "allow_root_ssh": True, "storage": "datastore-2"}])
    (warning,) = run.warnings
    assert warning.startswith("svms[0]: storage cannot be changed for an existing SVM")
