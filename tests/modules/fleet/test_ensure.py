# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole fleet, declared in one task: predicted, done, repeated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.svm import Caller, SimulatedClock, caller
from support.vms import bios

from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.memory import Memory
from simulator.testing import RunningSimulator

EXISTS = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists"


class Fleet:
    """Declares fleets to the simulator."""

    def __init__(self, run: Caller) -> None:
        self.run = run
        self.simulator = run.simulator
        self.given: dict[str, Any] = {"password": run.simulator.multitenancy_password, "retries": 1}

    def seed(self, **tenants: list[int]) -> None:
        """Let the server have simple, active tenants with virtual machines of these numbers."""
        records = [
            {"name": name, "type": "simple", "status": "active", "vms": [machine(number) for number in numbers]}
            for name, numbers in tenants.items()
        ]
        self.simulator.seed(tenants=records)
        self.simulator.clear_effects()

    def __call__(self, *tenants: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.run("fleet", tenants=list(tenants), **{**self.given, **more})

    def predicted(self, *tenants: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.run.predicted("fleet", tenants=list(tenants), **{**self.given, **more})

    def fails(self, *tenants: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.run.fails("fleet", tenants=list(tenants), **{**self.given, **more})

    def there(self) -> dict[str, tuple[str, list[str]]]:
        """Return the status and the names of the virtual machines of each tenant."""
        tenants = self.simulator.state()["multitenancy"]["tenants"]
        return {each["name"]: (each["status"].lower(), sorted(vm["name"] for vm in each["vms"])) for each in tenants}

    def effects(self) -> Counter[str]:
        return Counter(action for action, _subject in self.simulator.effects())


def machine(number: int, **more: Any) -> dict[str, Any]:
    return {"bios_id": bios(number), "name": f"vm-{number}", **more}


def tenant(name: str, *numbers: int, **more: Any) -> dict[str, Any]:
    """Return a simple, active tenant with virtual machines of these numbers."""
    return {
        "name": name,
        "type": "simple",
        "status": "active",
        "vms": [machine(number) for number in numbers],
        **more,
    }


def row(result: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in result["tenants"] if each["name"] == name)
    return found


def counted(result: dict[str, Any], name: str = "") -> dict[str, int]:
    counts = row(result, name)["counts"] if name else result["counts"]["vms"]
    return {key: value for key, value in counts.items() if value}


def comparable(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without what only the server knows."""
    tenants = [{key: value for key, value in each.items() if key != "id"} for each in result["tenants"]]
    return {**{key: result.get(key) for key in ("changed", "counts", "unlisted", "diff", "msg")}, "tenants": tenants}


@pytest.fixture
def fleet(simulator: RunningSimulator) -> Iterator[Fleet]:
    with caller(simulator) as made:
        yield Fleet(made)


# ---- predicted, done, repeated ----------------------------------------------------------------------------------------


def everything(fleet: Fleet) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Let the server have a fleet, and return another one that differs from it in every way."""
    fleet.seed(Alpine=[1, 2, 3], Birch=[4, 5], Cedar=[6, 7], Other=[8])
    complete = {"type": "complete", "admin_username": "new-admin", "admin_password": "Example-New-1"}
    listed = [
        tenant("Alpine", 1, 4, status="inactive"),
        {"name": "Birch", "state": "absent"},
        tenant("Northwind", 5, 9, **complete),
        tenant("Cedar", 6, vms=[machine(6), machine(7, user_data="rack 7")]),
        {"name": "Dune", "type": "simple"},
    ]
    return listed, {"purge_vms": True, "reregister": True, "max_removals": 1, "unlisted": "report"}


def test_check_mode_predicts_what_happens_and_a_repeat_changes_nothing(fleet: Fleet) -> None:
    listed, options = everything(fleet)
    predicted = fleet.predicted(*listed, **options)
    done = fleet(*listed, **options)
    assert comparable(done) == comparable(predicted)
    assert fleet.there() == {
        "Alpine": ("inactive", ["vm-1", "vm-4"]),
        "Cedar": ("active", ["vm-6", "vm-7"]),
        "Dune": ("inactive", []),
        "Northwind": ("active", ["vm-5", "vm-9"]),
        "Other": ("active", ["vm-8"]),
    }
    assert {each["name"]: (each["outcome"], each["actions"]) for each in done["tenants"]} == {
        "Alpine": ("changed", ["deactivate"]),
        "Birch": ("removed", ["remove"]),
        "Northwind": ("created", ["create", "activate"]),
        "Cedar": ("changed", []),
        "Dune": ("created", ["create"]),
    }
    assert counted(done, "Alpine") == {"unchanged": 1, "moved_in": 1, "unregistered": 2}
    assert counted(done, "Birch") == {"moved_out": 2}
    assert counted(done, "Northwind") == {"moved_in": 1, "registered": 1}
    assert counted(done, "Cedar") == {"unchanged": 1, "reregistered": 1}
    assert done["counts"]["tenants"] == {"created": 2, "changed": 2, "removed": 1, "failed": 0, "unchanged": 0}
    assert done["unlisted"] == ["Other"]
    again = fleet(*listed, **options)
    assert again["changed"] is False
    assert again["counts"]["tenants"]["unchanged"] == 5
    assert again["diff"]["before"] == again["diff"]["after"] == ""


def test_nothing_to_do_is_one_list_of_tenants_and_one_of_machines_for_each(fleet: Fleet) -> None:
    fleet.seed(Alpine=[1], Birch=[2], Other=[3])
    fleet(tenant("Alpine", 1), tenant("Birch", 2), purge_vms=True)
    assert [entry["method"] for entry in fleet.simulator.requests()] == ["GET"] * 3


def test_a_diff_names_tenants_and_machines(fleet: Fleet) -> None:
    fleet.seed(Alpine=[1], Birch=[])
    diff = fleet.predicted(tenant("Alpine"), tenant("Birch", 1), tenant("Ёлка", 2))["diff"]
    assert diff["before"] == f'Alpine:\n  vms:\n    {bios(1)}:\n      name: vm-1\n      user_data: ""\n'
    assert f"Birch:\n  vms:\n    {bios(1)}:\n      name: vm-1\n" in diff["after"]
    assert "Ёлка:\n  name: Ёлка\n" in diff["after"]


def test_many_machines_are_counted_and_only_the_first_shown(fleet: Fleet) -> None:
    fleet.seed(Alpine=[])
    result = fleet.predicted(tenant("Alpine", *range(1205)))
    assert result["counts"]["vms"]["registered"] == 1205
    assert len(result["tenants"][0]["results"]) == 1000
    assert "and 205 more virtual machines: not shown" in result["diff"]["after"]


def test_tenants_are_watched_together(fleet: Fleet) -> None:
    fleet.simulator.configure(task_seconds=0.3)
    fleet(*(tenant(f"T{number}", number) for number in range(12)))
    tasks = [entry for entry in fleet.simulator.requests() if "/virtualization/tasks" in entry["path"]]
    fleet.simulator.configure(task_seconds=0)
    assert fleet.effects() == {"create tenant": 12, "register vm": 12, "activate tenant": 12}
    assert len(tasks) < 24
    assert ("create", "12 of 12 done, 100 %") in fleet.run.progress


# ---- machines that move -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("purge", [True, False])
def test_machines_change_places_and_keep_what_is_not_given(fleet: Fleet, purge: bool) -> None:
    fleet.seed(Alpine=[1], Birch=[2])
    alpine = tenant("Alpine", vms=[{"bios_id": bios(2).upper()}])
    result = fleet(alpine, tenant("Birch", vms=[machine(1, name="new")]), purge_vms=purge)
    assert fleet.there() == {"Alpine": ("active", ["vm-2"]), "Birch": ("active", ["new"])}
    assert counted(result) == {"moved_in": 2, "moved_out": 2}
    assert row(result, "Alpine")["results"][0]["from"] == "Birch"
    assert fleet.effects() == {"unregister vm": 2, "register vm": 2}


@pytest.mark.parametrize("kind", ["status", "drop_before"])
def test_a_machine_that_cannot_be_moved_is_put_back(fleet: Fleet, kind: str) -> None:
    fleet.seed(Alpine=[1], Birch=[])
    birch = next(each["id"] for each in fleet.simulator.state()["multitenancy"]["tenants"] if each["name"] == "Birch")
    fleet.simulator.fault(method="POST", path=f"{birch}/vms/register", kind=kind, status=400, times=0)
    result = fleet.fails(tenant("Alpine"), tenant("Birch", 1), purge_vms=True)
    assert fleet.there() == {"Alpine": ("active", ["vm-1"]), "Birch": ("active", [])}
    assert counted(result) == {"failed": 1}
    assert "was registered again as it was" in row(result, "Birch")["error"]
    fleet.simulator.clear_faults()
    fleet(tenant("Alpine"), tenant("Birch", 1), purge_vms=True)
    assert fleet.there()["Birch"] == ("active", ["vm-1"])


@pytest.mark.parametrize("path", ["unregister", "register"])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_a_lost_answer_does_not_move_a_machine_twice(fleet: Fleet, path: str, kind: str) -> None:
    fleet.seed(Alpine=[1], Birch=[])
    fleet.simulator.fault(method="POST", path=f"/vms/{path}", kind=kind)
    result = fleet(tenant("Alpine"), tenant("Birch", 1))
    assert counted(result) == {"moved_in": 1, "moved_out": 1}
    assert fleet.effects() == {"unregister vm": 1, "register vm": 1}


def test_a_tenant_keeps_existing_while_one_of_its_machines_could_not_be_moved(fleet: Fleet) -> None:
    fleet.seed(Alpine=[1], Birch=[])
    listed = ({"name": "Alpine", "state": "absent"}, tenant("Birch", 1))
    birch = next(each["id"] for each in fleet.simulator.state()["multitenancy"]["tenants"] if each["name"] == "Birch")
    fleet.simulator.fault(method="POST", path=f"{birch}/vms/register", status=400)
    result = fleet.fails(*listed, max_removals=1)
    assert "was not removed, because 1 of its virtual machines" in row(result, "Alpine")["error"]
    assert row(result, "Alpine")["remaining"] == ["remove"]
    assert fleet.there()["Alpine"] == ("active", ["vm-1"])
    assert fleet(*listed, max_removals=1)["counts"]["tenants"]["removed"] == 1
    assert fleet.there() == {"Birch": ("active", ["vm-1"])}


@pytest.mark.parametrize("holder", ["unlisted", "left alone", "differs"])
def test_a_machine_of_a_tenant_that_is_not_touched_stays_where_it_is(fleet: Fleet, holder: str) -> None:
    fleet.seed(Alpine=[1], Birch=[])
    listed = [tenant("Birch", 1)]
    if holder == "left alone":
        listed.append({"name": "Alpine"})
    elif holder == "differs":
        listed.append(tenant("Alpine", description="other"))
    predicted = fleet.fails(*listed, check_mode=True)
    result = fleet.fails(*listed)
    assert comparable(result) == comparable(predicted)
    assert "is registered for the tenant 'Alpine'" in row(result, "Birch")["error"]
    assert row(result, "Birch")["error_code"] == EXISTS
    assert fleet.there()["Alpine"] == ("active", ["vm-1"])


# ---- every tenant is tried --------------------------------------------------------------------------------------------


def test_what_fails_for_one_tenant_ends_the_work_on_no_other(fleet: Fleet) -> None:
    fleet.seed(Differs=[1])
    fleet.simulator.task_fault(type="CreateTenant", code="VIRMT_TenantGroupAlreadyExists", times=1)
    listed = [tenant("First", 2), tenant("Second", 3), tenant("Differs", 1, 4, description="new"), tenant("Third", 5)]
    result = fleet.fails(*listed, concurrency=1)
    assert [each["outcome"] for each in result["tenants"]] == ["failed", "created", "failed", "created"]
    assert result["changed"] is True
    assert result["msg"].startswith("2 of 4 tenants failed: First: ")
    assert row(result, "First")["remaining"] == ["create", "activate", "vms"]
    assert row(result, "First")["error_code"] == "VIRMT_TenantGroupAlreadyExists"
    assert "description is '' and should be 'new'" in row(result, "Differs")["error"]
    assert fleet.there()["Third"] == ("active", ["vm-5"])
    assert fleet.there()["Differs"] == ("active", ["vm-1"])
    assert fleet.fails(*listed)["counts"]["tenants"]["created"] == 1


def test_a_machine_that_cannot_be_registered_does_not_keep_its_tenant_inactive(fleet: Fleet) -> None:
    fleet.seed(Other=[1])
    result = fleet.fails(tenant("Alpine", 1, 2))
    assert fleet.there()["Alpine"] == ("active", ["vm-2"])
    assert row(result, "Alpine")["actions"] == ["create", "activate"]
    assert counted(result) == {"registered": 1, "failed": 1}


def test_a_task_that_does_not_end_in_time_fails_its_tenant_and_is_attached_to_again(fleet: Fleet) -> None:
    fleet.simulator.configure(task_seconds=2)
    try:
        result = fleet.fails(tenant("Alpine", 1), tenant("Birch", 2), wait_timeout=0.4)
        assert "is not done after 0.4 s" in row(result, "Birch")["error"]
    finally:
        fleet.simulator.configure(task_seconds=0.1)
    result = fleet(tenant("Alpine", 1), tenant("Birch", 2))
    fleet.simulator.configure(task_seconds=0)
    assert [each["remaining"] for each in result["tenants"]] == [[], []]
    assert fleet.effects() == {"create tenant": 2, "register vm": 2, "activate tenant": 2}


def test_without_waiting_what_follows_remains(fleet: Fleet) -> None:
    fleet.simulator.configure(task_seconds=1)
    result = fleet(tenant("Alpine", 1), wait=False)
    fleet.simulator.configure(task_seconds=0)
    assert (row(result, "Alpine")["actions"], row(result, "Alpine")["remaining"]) == (["create"], ["activate", "vms"])
    assert fleet(tenant("Alpine", 1))["counts"]["vms"]["registered"] == 1
    assert fleet.effects()["create tenant"] == 1


def test_a_404_without_a_word_does_not_make_a_tenant_gone(fleet: Fleet) -> None:
    fleet.seed(A=[1])
    fleet.simulator.fault(method="GET", path="/vms", kind="status", status=404, times=1)
    failed = fleet.fails(tenant("A", 1, 2))
    assert failed["msg"].startswith("Not found (GET /api/2.0/virtualization/tenants/")
    assert fleet.effects() == {}


def test_tenants_that_the_list_does_not_show_yet_are_waited_for(fleet: Fleet) -> None:
    fleet.simulator.configure(tenant_list_delay_seconds=0.5)
    try:
        result = fleet(tenant("A", 1), tenant("B"))
    finally:
        fleet.simulator.configure(tenant_list_delay_seconds=0)
    assert fleet.there() == {"A": ("active", ["vm-1"]), "B": ("active", [])}
    assert result["counts"]["vms"]["registered"] == 1
    assert fleet.effects()["create tenant"] == 2


@pytest.mark.parametrize("action", ["tenants$", "activate$"])
@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_lost_answers_create_and_activate_nothing_twice(fleet: Fleet, action: str, kind: str) -> None:
    fleet.simulator.configure(task_seconds=0.2)
    fleet.simulator.fault(method="POST", path=action, kind=kind, times=3)
    fleet(*(tenant(f"T{number}") for number in range(5)))
    fleet.simulator.configure(task_seconds=0)
    assert fleet.effects() == {"create tenant": 5, "activate tenant": 5}


def test_many_lost_answers_are_looked_for_together(fleet: Fleet) -> None:
    fleet.simulator.fault(method="POST", path="tenants$", kind="drop_after", times=0)
    fleet(*(tenant(f"T{number}", status="inactive") for number in range(20)))
    fleet.simulator.clear_faults()
    assert fleet.effects() == {"create tenant": 20}
    lists = Counter(entry["path"] for entry in fleet.simulator.requests() if entry["method"] == "GET")
    assert max(lists.values()) < 10


def test_another_run_that_holds_a_lock_is_waited_for(fleet: Fleet) -> None:
    with Memory(fleet.simulator.url).locks(["create tenant Alpine"], Deadline(5)):
        result = fleet.fails(tenant("Alpine"), wait_timeout=0.3)
    assert "busy with the same change: create tenant Alpine" in result["msg"]


def test_a_server_that_goes_away_is_not_tried_for_every_tenant(fleet: Fleet) -> None:
    fleet.seed(**{f"T{number}": [] for number in range(40)})
    fleet.simulator.fault(method="POST", kind="drop_before", times=0)
    fleet.simulator.fault(method="GET", path="/vms$", skip=40, kind="drop_before", times=0)
    result = fleet.fails(*(tenant(f"T{number}", number) for number in range(40)), retries=0)
    assert result["counts"]["tenants"]["failed"] == 40
    assert len([entry for entry in fleet.simulator.requests() if entry["method"] == "POST"]) < 40


# ---- what is refused before anything is sent --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tenants", "words"),
    [
        ([tenant("A"), tenant("A")], ["tenants[1].name is the same as tenants[0].name"]),
        ([tenant("A", 1), tenant("B", 2, 1)], ["tenants[1].vms[1].bios_id is the same as tenants[0].vms[0].bios_id"]),
        ([tenant("A", vms=[{"bios_id": "x"}])], ["tenants[0].vms[0].bios_id is not a valid UUID"]),
        ([tenant("A", vms=[{"bios_id": None}])], ["tenants[0].vms[0].bios_id is empty"]),
        ([tenant("A", vms=[{"bios_id": bios(1), "nam": "x"}])], ["tenants[0].vms[0].nam", "did you mean name"]),
        ([tenant("A", vms=None)], ["tenants[0].vms is empty"]),
        ([tenant("A", vms="x")], ["tenants[0].vms must be a list"]),
        ([tenant("A"), {"name": " "}], ["tenants[1].name is empty"]),
        ([tenant("A", status="on")], ["status", "active", "on"]),
        ([tenant("A", description="\x00")], ["tenants[0].description contains the character U+0000"]),
        ([tenant("A", admin_username="a")], ["tenants[0].admin_username cannot be given"]),
        ([tenant("A", 1, state="absent")], ["tenants[0].vms cannot be given with state: absent"]),
        ([{"name": "A"}], ["tenants[0] (A): type is required to create the tenant 'A'"]),
        ([{"name": "A", "type": "complete"}], ["tenants[0] (A): admin_username and admin_password are required"]),
        (
            [{"name": "A"}, *({"name": f"T{number}"} for number in range(9))],
            ["tenants[0] (A): type is", "tenants[4] (T3): type is", "and 5 more"],
        ),
        ("x", ["tenants must be a list of dictionaries"]),
        (None, ["tenants is empty"]),
    ],
)
def test_a_list_with_a_mistake_is_refused_with_the_place(fleet: Fleet, tenants: Any, words: list[str]) -> None:
    result = fleet.run.fails("fleet", tenants=tenants, **fleet.given)
    assert [word for word in words if word not in result["msg"]] == []
    assert not fleet.simulator.effects()


@pytest.mark.parametrize("option", ["concurrency", "max_removals", "max_unregistrations", "wait_timeout"])
def test_a_number_that_is_too_small_is_refused(fleet: Fleet, option: str) -> None:
    assert option in fleet.fails(tenant("A"), **{option: -1})["msg"]


@pytest.mark.parametrize("check_mode", [True, False])
def test_more_than_may_be_removed_is_refused(fleet: Fleet, check_mode: bool) -> None:
    fleet.seed(**{f"T{number}": [] for number in range(7)})
    absent = [{"name": f"T{number}", "state": "absent"} for number in range(7)]
    result = fleet.fails(*absent, max_removals=6, check_mode=check_mode)
    assert result["msg"] == (
        "This would remove 7 tenants, and max_removals allows 6: 'T0', 'T1', 'T2', 'T3', 'T4' and 2 more."
    )
    assert not fleet.simulator.effects()
    assert "This would remove 1 tenant, and max_removals allows 0: 'T0'." in fleet.fails(absent[0])["msg"]


def test_more_than_may_be_unregistered_is_refused(fleet: Fleet) -> None:
    fleet.seed(Alpine=[1, 2, 3], Birch=[])
    moved = [tenant("Alpine"), tenant("Birch", 1)]
    result = fleet.fails(*moved, purge_vms=True, max_unregistrations=1)
    assert result["msg"].startswith("This would unregister 2 virtual machines, and max_unregistrations allows 1: ")
    assert f"{bios(2)} of 'Alpine'" in result["msg"]
    assert "max_unregistrations (in the playbook reconcile_tenants: ksvla_max_unregistrations)" in result["hint"]
    assert not fleet.simulator.effects()
    fleet(*moved, purge_vms=True, max_unregistrations=2)


def test_a_complete_tenant_is_removed_only_with_a_word_about_its_artifacts(fleet: Fleet) -> None:
    fleet.simulator.seed(tenants=[{"name": "Alpine", "type": "complete"}])
    absent = {"name": "Alpine", "state": "absent"}
    assert "tenants[0] (Alpine): remove_artifacts is required" in fleet.fails(absent, max_removals=1)["msg"]
    fleet({**absent, "remove_artifacts": True}, max_removals=1)
    assert fleet.there() == {}


# ---- what is left alone -----------------------------------------------------------------------------------------------


def test_machines_are_left_alone_without_a_list_and_without_purge(fleet: Fleet) -> None:
    fleet.seed(Alpine=[1, 2], Birch=[3])
    result = fleet({"name": "Alpine"}, tenant("Birch"), unlisted="report")
    assert (result["changed"], result["unlisted"]) == (False, [])
    assert fleet({"name": "Alpine"}, purge_vms=True)["changed"] is False
    assert counted(fleet(tenant("Birch"), purge_vms=True)) == {"unregistered": 1}


def test_a_tenant_that_exists_needs_neither_type_nor_account(fleet: Fleet) -> None:
    fleet.simulator.seed(tenants=[{"name": "Alpine", "type": "complete", "admin_username": "a"}])
    assert fleet({"name": "Alpine"}, unlisted="ignore")["changed"] is False
    assert fleet({"name": "Alpine", "type": "complete"})["changed"] is False


def test_differences_that_cannot_be_changed_may_be_a_warning(fleet: Fleet) -> None:
    fleet.seed(Alpine=[])
    result = fleet(tenant("Alpine", 1, description="new"), immutable_changes="warn")
    assert counted(result) == {"registered": 1}
    assert "description is '' and should be 'new'" in fleet.run.warnings[0]


def test_a_machine_that_differs_fails_unless_it_may_be_registered_again(fleet: Fleet) -> None:
    fleet.seed(Alpine=[1])
    listed = tenant("Alpine", vms=[machine(1, name="new")])
    assert "set reregister: true" in fleet.fails(listed)["msg"]
    assert counted(fleet(listed, reregister=True)) == {"reregistered": 1}


def test_no_password_is_shown(fleet: Fleet) -> None:
    new = tenant("Alpine", 1, type="complete", admin_username="a", admin_password="Canary-Fleet-1")
    fleet.simulator.task_fault(type="CreateTenant", code="KSC_ServiceNotConfigured", times=1)
    assert "Canary" not in f"{fleet.fails(new)} {fleet(new)} {fleet.run.warnings}"


@pytest.mark.parametrize("more", [{}, {"type": "complete"}])
def test_a_name_that_several_tenants_have_keeps_no_other_tenant_from_its_result(
    fleet: Fleet, more: dict[str, Any]
) -> None:
    twice = '<tenant id="1"><name>Alpine</name></tenant><tenant id="2"><name>Alpine</name></tenant>'
    birch = '<tenant id="3"><name>Birch</name><type>Simple</type><status>Active</status></tenant>'
    body = f"<tenants>{twice}{birch}</tenants>"
    fleet.simulator.fault(method="GET", path="/tenants$", kind="status", status=200, body=body)
    failed = fleet.fails({"name": "Alpine", **more}, {"name": "Birch", "type": "simple", "status": "active"})
    assert "Several tenants are named 'Alpine': 1, 2." in row(failed, "Alpine")["error"]
    assert row(failed, "Alpine")["remaining"] == []
    assert row(failed, "Birch")["outcome"] == "unchanged"


def test_after_a_task_of_another_machine_the_state_is_read_last(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tenant B appears after the task was waited for on behalf of tenant A, and before its own tasks are read."""
    fleet.run.clock = SimulatedClock(fleet.simulator)
    fleet.seed(B=[])
    fleet.simulator.configure(task_seconds=10)
    with monkeypatch.context() as patch:
        patch.setenv("ANSIBLE_HOME", str(tmp_path))
        fleet(tenant("other"), wait=False)
    fleet.simulator.configure(task_seconds=0)
    fleet.simulator.clear_requests()
    fleet.simulator.fault(method="GET", path="/tenants$", kind="status", status=200, body="<tenants/>", times=2)
    fleet(tenant("A"), tenant("B"))
    assert len(fleet.run.sent("POST", "/tenants")) == 1
