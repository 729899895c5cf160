# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual machines of a tenant, as the module returns them when something fails on the way."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.svm import Caller, caller
from support.vms import OURS, THEIRS, bios

from simulator.testing import RunningSimulator

VMS = [{"bios_id": bios(number), "name": f"web-{number}"} for number in range(4)]
EXISTS = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists"


@pytest.fixture
def run(simulator: RunningSimulator) -> Iterator[Caller]:
    simulator.seed(tenants=[{"id": OURS, "name": "Ours"}, {"id": THEIRS, "name": "Theirs"}])
    with caller(simulator) as made:
        yield made


@pytest.fixture
def given(run: Caller) -> dict[str, Any]:
    return {"password": run.simulator.multitenancy_password, "tenant_name": "Ours", "retries": 0}


def writes(run: Caller) -> list[str]:
    return [entry["path"].rpartition("/")[2] for entry in run.simulator.requests() if entry["method"] == "POST"]


def looks(run: Caller) -> int:
    return sum(entry["path"].endswith("/vms") for entry in run.simulator.requests())


# ---- reading fails ----------------------------------------------------------------------------------------------------


def test_what_was_done_is_returned_when_it_cannot_be_read_again(run: Caller, given: dict[str, Any]) -> None:
    run.simulator.seed(tenants=[{"id": bios(9), "name": "Third", "vms": [{"bios_id": bios(8), "name": "stays"}]}])
    run.simulator.fault(method="GET", path="/vms$", skip=1, status=500, body="VIRMT_Oops", times=0)
    listed = [*VMS, {"bios_id": bios(8)}]
    result = run.fails("tenant_vm", vms=listed, **{**given, "tenant_name": "Third"})
    assert result["changed"] is True
    assert result["counts"]["registered"] == 4
    assert [entry["action"] for entry in result["results"]] == ["registered"] * 4
    assert [(vm["id"] is None, vm["name"]) for vm in result["vms"]] == [
        *((True, f"web-{number}") for number in range(4)), (False, "stays")
    ]  # fmt: skip
    assert result["diff"]["after"].count("name: web-") == 4
    assert result["msg"].startswith("All was done, but what is registered now could not be read: ")
    assert (result["error_code"], result["status"]) == ("VIRMT_Oops", 500)


def test_some_failed_and_it_cannot_be_read_again(run: Caller, given: dict[str, Any]) -> None:
    run.simulator.fault(method="POST", path="/register", status=400)
    run.simulator.fault(method="GET", path="/vms$", skip=1, status=500, body="VIRMT_Oops", times=0)
    result = run.fails("tenant_vm", vms=VMS, concurrency=1, **given)
    assert "1 of 4 virtual machines of tenant Ours failed" in result["msg"]
    assert [vm["name"] for vm in result["vms"]] == ["web-1", "web-2", "web-3"]
    assert len(run.warnings) == 1
    assert "could not be read" in run.warnings[0]


def test_what_was_done_is_returned_when_lost_answers_cannot_be_looked_up(run: Caller, given: dict[str, Any]) -> None:
    run.simulator.fault(method="POST", path="/register", skip=3, kind="drop_after")
    run.simulator.fault(method="GET", path="/vms$", skip=1, status=503, times=0)
    result = run.fails("tenant_vm", vms=VMS, concurrency=1, **given)
    assert result["changed"] is True
    assert (result["counts"]["registered"], result["counts"]["failed"]) == (3, 1)
    assert "Whether it took effect could not be determined: " in result["results"][3]["error"]
    assert "not_tried" not in result
    assert looks(run) == 2  # what could not be read to look is not read again at the end
    assert run.simulator.state()["multitenancy"]["tenants"][0]["vms"] != []


def test_a_server_that_hangs(run: Caller, given: dict[str, Any]) -> None:
    run.simulator.fault(method="POST", path="/register", kind="drop_before", times=0)
    run.simulator.fault(method="GET", path="/vms$", skip=1, kind="drop_before", times=0)
    many = [{"bios_id": bios(number)} for number in range(500)]
    result = run.fails("tenant_vm", vms=many, concurrency=2, **given)
    counts = result["counts"]
    assert 4 <= counts["failed"] < 6
    assert counts["not_tried"] == len(result["not_tried"]) == 500 - counts["failed"]
    assert len(result["results"]) == counts["failed"]
    assert f"{counts['not_tried']} of 500 virtual machines of tenant Ours were not tried after this: " in result["msg"]
    assert (result["changed"], result["vms"]) == (False, [])


def test_what_failures_have_in_common_is_said_once(run: Caller, given: dict[str, Any]) -> None:
    run.simulator.fault(method="POST", path="/register", status=400, body="<e>the same</e>", times=9)
    run.simulator.fault(method="POST", path="/register", status=400, body="<e>another</e>")
    many = [{"bios_id": bios(number)} for number in range(10)]
    msg = run.fails("tenant_vm", vms=many, concurrency=1, **given)["msg"]
    assert "10 of 10 virtual machines of tenant Ours failed: " in msg
    assert f"{bios(4)} and 4 more: the same" in msg
    assert (msg.count("the same"), msg.count("another")) == (1, 1)


def test_many_different_failures_are_not_all_in_the_message(run: Caller, given: dict[str, Any]) -> None:
    for number in range(8):
        run.simulator.fault(method="POST", path="/register", status=400, body=f"<e>reason {number}</e>")
    many = [{"bios_id": bios(number)} for number in range(8)]
    result = run.fails("tenant_vm", vms=many, concurrency=1, **given)
    assert result["msg"].count("reason ") == 5
    assert result["msg"].endswith("; and 3 more.")
    assert len(result["results"]) == 8


# ---- registering again fails ------------------------------------------------------------------------------------------


@pytest.fixture
def precious(run: Caller) -> None:
    run.simulator.reset()
    vms = [{"bios_id": bios(0), "name": "a", "user_data": "precious"}]
    run.simulator.seed(tenants=[{"id": OURS, "name": "Ours", "vms": vms}])


@pytest.mark.usefixtures("precious")
def test_what_is_not_given_is_kept_when_it_is_registered_again(run: Caller, given: dict[str, Any]) -> None:
    again = {"reregister": True, "bios_id": bios(0), **given}
    (renamed,) = run("tenant_vm", name="b", **again)["vms"]
    assert (renamed["name"], renamed["user_data"]) == ("b", "precious")
    (changed,) = run("tenant_vm", user_data="common", **again)["vms"]
    assert (changed["name"], changed["user_data"]) == ("b", "common")


@pytest.mark.usefixtures("precious")
def test_a_second_registration_that_is_refused(run: Caller, given: dict[str, Any]) -> None:
    run.simulator.fault(method="POST", path="/register$", status=400)
    result = run.fails("tenant_vm", reregister=True, bios_id=bios(0), name="b", **given)
    (vm,) = result["vms"]
    assert (vm["name"], vm["user_data"]) == ("a", "precious")
    assert "was registered again as it was: " in result["results"][0]["error"]
    assert "before" not in result["results"][0]
    assert writes(run) == ["unregister", "register", "register"]
    assert result["changed"] is True  # it has another vm_id
    assert result["diff"]["before"] == result["diff"]["after"]


@pytest.mark.usefixtures("precious")
def test_a_virtual_machine_that_is_gone_is_in_the_result(run: Caller, given: dict[str, Any]) -> None:
    run.simulator.fault(method="POST", path="/register$", status=400, times=0)
    result = run.fails("tenant_vm", reregister=True, bios_id=bios(0), name="b", **given)
    assert (result["changed"], result["vms"], result["counts"]["failed"]) == (True, [], 1)
    before = result["results"][0]["before"]
    assert (before["name"], before["user_data"]) == ("a", "precious")
    assert result["results"][0]["error"].startswith("Unregistered, and could not be registered again: ")
    assert result["diff"]["before"] == f"{bios(0)}:\n  name: a\n  user_data: precious\n"
    assert result["diff"]["after"] == ""


# ---- another tenant holds it ------------------------------------------------------------------------------------------


@pytest.fixture
def held(run: Caller) -> None:
    run.simulator.reset()
    theirs = [{"bios_id": bios(1).upper(), "name": "held"}]
    run.simulator.seed(tenants=[{"id": OURS, "name": "Ours"}, {"id": THEIRS, "name": "Theirs", "vms": theirs}])


@pytest.mark.usefixtures("held")
def test_the_holder_is_named(run: Caller, given: dict[str, Any]) -> None:
    failed = run.fails("tenant_vm", vms=VMS, **given)
    assert failed["error_code"] == EXISTS
    assert f"BIOS id {bios(1)} is registered for the tenant 'Theirs' ({THEIRS})." in failed["msg"]
    assert (failed["counts"]["registered"], failed["counts"]["failed"]) == (3, 1)


@pytest.mark.usefixtures("held")
def test_check_mode_does_not_look_at_other_tenants(run: Caller, given: dict[str, Any]) -> None:
    predicted = run.predicted("tenant_vm", vms=VMS, **given)
    assert predicted["counts"]["registered"] == 4
    assert looks(run) == 1
    assert run.warnings == []


# ---- what must be said ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "No virtual machine is given"),
        ({"concurrency": 0, "vms": []}, "concurrency must be 1 or more"),
        ({"purge": True, "state": "absent", "vms": []}, "purge can be used with state: present only"),
        ({"name": "n"}, "The virtual machine has no id"),
        ({"bios_id": "1"}, "bios_id is not a valid UUID"),
        ({"vms": [{"bios_id": bios(1)}, {"bios_id": "x"}]}, "vms[1].bios_id is not a valid UUID"),
        ({"vms": [{"name": "n"}]}, "vms[0] has no id"),
        ({"vms": [{"bios_id": bios(1), "name": " "}]}, "vms[0].name is empty"),
        ({"vms": [{"bios_id": bios(1), "user_data": "\0"}]}, "vms[0].user_data contains the character U+0000"),
        (
            {"vms": [{"bios_id": bios(10)}, {"bios_id": bios(10).upper()}]},
            "vms[1].bios_id is the same as vms[0].bios_id",
        ),
        ({"vms": [{"vm_id": bios(1)}, {"vm_id": bios(1)}]}, "vms[1].vm_id is the same as vms[0].vm_id"),
    ],
)
def test_lists_that_cannot_be_right(options: dict[str, Any], message: str, run: Caller, given: dict[str, Any]) -> None:
    assert run.fails("tenant_vm", **options, **given)["msg"].startswith(message)
    assert run.simulator.requests() == []


def test_an_id_that_only_the_server_can_choose(run: Caller, given: dict[str, Any]) -> None:
    assert "the server chooses the vm_id" in run.fails("tenant_vm", vm_id=bios(1), **given)["msg"]
    assert run("tenant_vm", vm_id=bios(1), state="absent", **given)["changed"] is False


@pytest.mark.usefixtures("precious")
@pytest.mark.parametrize("check_mode", [True, False])
def test_a_difference_that_may_not_be_applied_is_explained(
    check_mode: bool, run: Caller, given: dict[str, Any]
) -> None:
    failed = run.fails("tenant_vm", bios_id=bios(0), name="b", user_data="x", check_mode=check_mode, **given)
    assert "name is 'a' and should be 'b'; user_data is 'precious' and should be 'x'" in failed["msg"]
    assert "reregister: true" in failed["msg"]
    assert (failed["changed"], failed["vms"][0]["name"], writes(run)) == (False, "a", [])


def test_a_diff_is_readable_in_every_script(run: Caller, given: dict[str, Any]) -> None:
    vms = [{"bios_id": bios(1), "name": "Мюнхен", "user_data": "日本\n語"}]
    assert run("tenant_vm", vms=vms, **given)["diff"]["after"] == (
        f'{bios(1)}:\n  name: Мюнхен\n  user_data: "日本\\n語"\n'
    )


# ---- lost answers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_counts_equal_what_happened_when_answers_are_lost(run: Caller, given: dict[str, Any], seed: int) -> None:
    """50 virtual machines are registered, renamed or unregistered; many answers are lost."""
    drawn = random.Random(seed)
    there = [{"bios_id": bios(number), "name": f"old-{number}"} for number in range(10, 30)]
    run.simulator.reset()
    run.simulator.seed(tenants=[{"id": OURS, "name": "Ours", "vms": there}])
    for _fault in range(30):
        path = drawn.choice(["/register$", "/unregister"])
        kind = drawn.choice(["drop_before", "drop_after", "status"])
        run.simulator.fault(method="POST", path=path, kind=kind, status=502, skip=drawn.randrange(20))
    wanted = [{"bios_id": bios(number), "name": f"new-{number}"} for number in range(20, 60)]
    run.simulator.clear_effects()
    result = run("tenant_vm", vms=wanted, purge=True, reregister=True, **{**given, "retries": 20})
    assert result["counts"] == {"failed": 0, "unchanged": 0, **_happened(run)}
    assert Counter(one["action"] for one in result["results"]) == _happened(run)
    run.simulator.clear_effects()
    again = run("tenant_vm", vms=wanted, purge=True, reregister=True, **given)
    assert (again["changed"], again["counts"]["unchanged"], run.simulator.effects()) == (False, 40, [])


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_counts_equal_what_happened_when_the_server_goes_away(run: Caller, given: dict[str, Any], kind: str) -> None:
    """What is not known is said to have failed, and the repeat finds it."""
    many = [{"bios_id": bios(number), "name": f"web-{number}"} for number in range(50)]
    run.simulator.fault(method="POST", path="/register$", kind=kind, skip=20, times=0)
    run.simulator.clear_effects()
    result = run.raw("tenant_vm", vms=many, **given)
    counts, there = result["counts"], _happened(run)["registered"]
    assert counts["registered"] == len(result["vms"]) == there
    assert there + counts["failed"] + counts.get("not_tried", 0) == 50
    assert ("failed" in result) == (there < 50)
    run.simulator.clear_faults()
    again = run("tenant_vm", vms=many, **given)
    assert (again["counts"]["registered"], again["counts"]["unchanged"]) == (50 - there, there)


def _happened(run: Caller) -> dict[str, int]:
    """Return how many virtual machines were registered, unregistered and both, by the simulator's log of effects."""
    effects = Counter((action, bios_id) for action, bios_id in run.simulator.effects())
    assert set(effects.values()) <= {1}, "something was done twice"
    registered = {bios_id for action, bios_id in effects if action == "register vm"}
    unregistered = {bios_id for action, bios_id in effects if action == "unregister vm"}
    return {
        "registered": len(registered - unregistered),
        "unregistered": len(unregistered - registered),
        "reregistered": len(registered & unregistered),
    }


@pytest.mark.parametrize("whose", ["a tenant that exists", "not an Integration Server", "a tenant that is gone"])
def test_a_404_without_a_word_is_no_proof_that_nothing_is_registered(
    whose: str, run: Caller, given: dict[str, Any]
) -> None:
    path = "/tenants" if whose == "not an Integration Server" else "/vms$"
    run.simulator.fault(method="GET", path=path, kind="status", status=404, times=0)
    tenant_id = bios(7) if whose == "a tenant that is gone" else OURS
    given.pop("tenant_name")
    asked = {"vms": VMS, "state": "absent", **given, "tenant_id": tenant_id}
    if whose == "a tenant that is gone":
        assert run("tenant_vm", **asked)["changed"] is False
        assert "There is nothing to unregister" in run.warnings[0]
    else:
        assert run.fails("tenant_vm", **asked)["status"] == 404
