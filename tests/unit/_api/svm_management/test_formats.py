# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading API 3.0: keys in any case, both nestings, tasks of any shape; and what is remembered of SVMs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import formats
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import json as _json
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import UnexpectedAnswer
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.platforms import (
    TYPES,
    certificates_of,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.plan import PlannedSvm
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.results import (
    failed_step,
    progress_line,
    records,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.svm.wanted import WantedSvm
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.trusted_certificate.ensure import (
    normalize_thumbprint,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.journal import TaskJournal
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import Answer

SERVICE = [
    {"address": "192.0.2.1:8774", "protocol": "https", "version": "2", "status": "CONNECTED", "error": "NO_ERROR"}
]
NESTED = {"id": "R1", "endpoints": {"compute": SERVICE, "glance": SERVICE, "neutron": SERVICE, "cinder": SERVICE}}
AS_PRINTED = {"id": "R1", "endpoints": {"compute": SERVICE}, "glance": SERVICE, "neutron": SERVICE, "cinder": SERVICE}


def _answer(value: Any) -> Answer:
    return Answer(200, {}, json.dumps(value).encode())


def _recase(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {change(key): _recase(item, change) for key, item in value.items()}
    return [_recase(item, change) for item in value] if isinstance(value, list) else value


def _infrastructure(region: dict[str, Any]) -> dict[str, Any]:
    account = {"status": "CONNECTED", "connectionError": "NO_ERROR", "details": {"regions": [region]}}
    return {
        "infrastructureId": "i1",
        "type": "OPENSTACK",
        "address": "keystone",
        "specificSettings": {"protocol": "https", "region": "R1"},
        "accounts": {"admin": {"name": "a"}, "readOnly": {"name": "r"}},
        "connectionInfo": {"admin": account, "readonly": {**account, "details": "..."}},
    }


@pytest.mark.parametrize("region", [NESTED, AS_PRINTED])
@pytest.mark.parametrize("change", [str, str.upper, str.lower, str.title])
def test_an_infrastructure_in_any_case_and_nesting(region: dict[str, Any], change: Any) -> None:
    found = formats.infrastructure(_json.read_object(_answer(_recase(_infrastructure(region), change))))
    assert (found.id, found.protocol, found.region, found.readonly_username) == ("i1", "https", "R1", "r")
    assert {one.name for one in found.connection["admin"].services} == {"compute", "glance", "neutron", "cinder"}
    assert {one.region for one in found.connection["admin"].services} == {"R1"}
    assert found.connection["readonly"].services == ()
    assert found.connected


def test_a_service_that_failed_is_no_connection() -> None:
    bad = [{**SERVICE[0], "status": "DISCONNECTED", "error": "INVALID_CERTIFICATE"}]
    assert not formats.infrastructure(_json.with_plain_keys(_infrastructure({**NESTED, "cinder": bad}))).connected


def test_a_read_only_account_that_was_not_given_is_not_waited_for() -> None:
    value = _infrastructure(NESTED)
    del value["accounts"]["readOnly"]
    value["connectionInfo"]["readonly"] = {"status": "DISCONNECTED", "connectionError": "NO_ERROR"}
    assert formats.infrastructure(_json.with_plain_keys(value)).connected


def _child(name: str, state: str, **more: Any) -> dict[str, Any]:
    parameters = [{"key": "svmName", "value": name}, {"key": "hostId", "value": "h1"}]
    return {"id": f"child {name}", "state": state, "type": "DeploySvm", "parameters": parameters, **more}


def _step(name: str, state: str, **more: Any) -> dict[str, Any]:
    parameters = [{"key": "deployStepName", "value": name}]
    return {"id": f"step {name}", "state": state, "type": "DeploySvmStep", "parameters": parameters, **more}


def _planned(index: int, name: str) -> PlannedSvm:
    return PlannedSvm(WantedSvm(index, name=name), "deploy", "i1", False, "h1", name=name)


@pytest.mark.parametrize("beside", [False, True])
def test_what_became_of_each_svm(beside: bool) -> None:
    steps = [
        _step("UploadSvmImage", "Completed", parentId="child b"),
        _step("CreateSvm", "Failed", parentId="child b", error="VIRMT_Any: No space."),
    ]
    failed = _child("b", "Failed", **({} if beside else {"children": steps}))
    children = [failed, *(steps if beside else []), _child("a", "Completed", result={"svmId": "7"})]
    task = formats.task(_json.with_plain_keys({"id": "t", "state": "Completed", "children": children}))
    first, second, third = records([_planned(0, "a"), _planned(1, "b"), _planned(2, "c")], task)
    assert (first["action"], first["svm_id"], first["error"]) == ("deployed", "7", None)
    assert (second["action"], second["failed_step"]) == ("failed", "CreateSvm")
    assert "No space" in second["error"]
    assert third["action"] == "deployed", "without a child of its own an SVM is judged by the parent"


def test_children_of_one_name_are_told_by_their_place() -> None:
    other = PlannedSvm(WantedSvm(1, name="a"), "deploy", "i1", False, "h2", name="a")
    elsewhere = _child("a", "Failed")
    elsewhere["parameters"][1]["value"] = "h2"
    task = formats.task(
        _json.with_plain_keys({"id": "t", "state": "Failed", "children": [elsewhere, _child("a", "Completed")]})
    )
    assert [one["action"] for one in records([_planned(0, "a"), other], task)] == ["deployed", "failed"]


def test_progress_is_that_of_the_step_under_way() -> None:
    steps = [
        _step("CheckImage", "Completed"),
        _step("UploadSvmImage", "Running", progress=45),
        _step("Last", "Created"),
    ]
    child = formats.task(_json.with_plain_keys(_child("a", "Running", children=steps)))
    assert progress_line(child) == "UploadSvmImage 45 %"
    assert failed_step(child) is None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "state", "children", "parameters", "result", "error", "key"]), inner)
    ),
    max_leaves=20,
)


@given(_VALUES)
def test_no_shape_of_a_task_breaks_the_reader(value: Any) -> None:
    try:
        found = formats.task(_json.with_plain_keys(value))
    except UnexpectedAnswer:
        return
    assert found.id
    assert isinstance(found.as_dict()["children"], list)
    records([_planned(0, "a")], found)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ([], 0),
        ([{"id": "1"}], 1),
        ({"items": [{"id": "1"}]}, 1),
        ({"a": [], "b": []}, None),
        ("text", None),
        ([1], None),
    ],
)
def test_lists_that_no_page_describes(value: Any, count: int | None) -> None:
    found = _json.listed(value, ("id",))
    assert (None if found is None else len(found)) == count


@pytest.mark.parametrize(("one", "other"), [("AA:bb", "aabb"), ("SHA1:AABB", "aa bb"), ("SHA256:aBc+/=", "aBc+/")])
def test_thumbprints_that_are_the_same(one: str, other: str) -> None:
    assert normalize_thumbprint(one) == normalize_thumbprint(other)


def test_thumbprints_that_differ() -> None:
    assert normalize_thumbprint("AA:BB") != normalize_thumbprint("AA:BC")
    assert normalize_thumbprint("SHA256:aBc+") != normalize_thumbprint("SHA256:abc+")


@pytest.mark.parametrize("platform", TYPES)
def test_what_the_server_verifies_of_each_platform(platform: str) -> None:
    kinds = [kind for kind, _address in certificates_of(platform, "h")]
    expected = {"HYPERV": [], "PROXMOX": ["https", "ssh"]}
    ssh = platform in ("LIBVIRT", "ALTVIRTUALIZATIONSERVER", "ASTRALINUX")
    assert kinds == expected.get(platform, ["ssh"] if ssh else ["https"])


def test_an_address_with_a_port_of_its_own() -> None:
    assert certificates_of("VMWARE", "h:8443") == [("https", "h:8443")]
    assert certificates_of("PROXMOX", "h:8007") == [("https", "h:8007"), ("ssh", "h:22")]
    assert certificates_of("NUTANIXPRISM", "2001:db8::1") == [("https", "[2001:db8::1]:9440")]


def test_the_journal_knows_all_subjects_of_a_task(tmp_path: Path) -> None:
    journal = TaskJournal("https://server", str(tmp_path))
    assert journal.ids_about("a") == []
    journal.remember("t/1", "a", "b")
    journal.remember("t2", "c")
    assert journal.ids_about("a") == ["t/1"]
    assert journal.ids_about("b") == ["t/1"]
    assert journal.is_about("t/1", "b") is True
    assert journal.is_about("t2", "b") is False
    assert TaskJournal("https://other", str(tmp_path)).ids_about("a") == []
    assert TaskJournal("https://server", str(tmp_path), kind="images").ids_about("a") == []
