# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protection reports: what they hold, and how they are fetched."""

from __future__ import annotations

import calendar
import csv
import io
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from simulator.testing import RunningSimulator, running_simulator

CSV = {"Accept": "application/csv"}
A, B, VM = "aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002", str(uuid.uuid4())
PERIODS = [
    {"tenant_id": A, "vm_id": VM, "vm_name": "web", "from": "2026-01-01T00:00:00", "to": "2026-01-10T00:00:00"},
    {"tenant_id": A, "vm_id": VM, "vm_name": "web", "from": "2026-02-01T06:00:00", "to": "2026-02-01T18:30:59"},
    {"tenant_id": B, "vm_id": VM, "vm_name": "db", "from": "2026-01-05T00:00:00", "to": "2026-01-06T00:00:00"},
    {"vm_id": VM, "vm_name": "stray", "from": "2026-01-07T00:00:00", "to": "2026-01-08T00:00:00"},
]


@pytest.fixture
def seeded(simulator: RunningSimulator) -> RunningSimulator:
    """Two tenants with periods, and a virtual machine without a tenant; periods are kept for ever."""
    simulator.configure(period_days=100_000)
    simulator.seed(tenants=[{"id": A, "name": "A"}, {"id": B, "name": "B"}], periods=PERIODS)
    return simulator


Generate = Callable[..., str]


@pytest.fixture
def generate(client: Any) -> Generate:
    """Generates a report; gives its id."""

    def make(**query: str) -> str:
        query = {name.rstrip("_"): value for name, value in query.items()}
        task = client.wait(client.post("/reports/tenants", query=query, headers=CSV))
        assert (task.type, task.state) == ("CreateTenantReport", "Completed")
        return str(task.result.text)

    return make


def _rows(client: Any, report_id: str) -> list[list[str]]:
    answer = client.get(f"/reports/tenants/{report_id}", headers=CSV)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/csv")
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    return list(csv.reader(io.StringIO(answer.text, newline=""), delimiter=";"))


def test_all_virtual_machines(seeded: RunningSimulator, client: Any, generate: Generate) -> None:
    assert _rows(client, generate()) == [
        [A, "A", VM, "web", "2026-01-01T00:00:00", "2026-01-10T00:00:00"],
        [A, "A", VM, "web", "2026-02-01T06:00:00", "2026-02-01T18:30:59"],
        [B, "B", VM, "db", "2026-01-05T00:00:00", "2026-01-06T00:00:00"],
        ["", "", VM, "stray", "2026-01-07T00:00:00", "2026-01-08T00:00:00"],
    ]


def test_one_tenant(seeded: RunningSimulator, client: Any, generate: Generate) -> None:
    assert [row[3] for row in _rows(client, generate(tenantId=A))] == ["web", "web"]
    assert [row[3] for row in _rows(client, generate(tenantId=B.upper()))] == ["db"]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"from_": "2026-01-31T00:00:00"}, [("2026-02-01T06:00:00", "2026-02-01T18:30:59")]),
        ({"to": "2026-01-02T00:00:00"}, [("2026-01-01T00:00:00", "2026-01-02T00:00:00")]),
        (
            {"from_": "2026-01-09T12:00:00", "to": "2026-02-01T07:00:00"},
            [("2026-01-09T12:00:00", "2026-01-10T00:00:00"), ("2026-02-01T06:00:00", "2026-02-01T07:00:00")],
        ),
        ({"from_": "2026-01-10T00:00:00", "to": "2026-02-01T06:00:00"}, []),
        ({"from_": "2026-01-03T00:00:00", "to": "2026-01-03T00:00:00"}, []),
    ],
)
def test_periods_are_clipped_to_the_reporting_period(
    seeded: RunningSimulator,
    client: Any,
    generate: Generate,
    window: dict[str, str],
    expected: list[tuple[str, str]],
) -> None:
    assert [(row[4], row[5]) for row in _rows(client, generate(tenantId=A, **window))] == expected


@pytest.mark.parametrize(
    "query",
    [
        {"from": "2026-01-01"},
        {"to": "yesterday"},
        {"from": "2026-02-30T00:00:00"},
        {"from": "2026-01-01T00:00:00Z"},
        {"from": "2026-01-02T00:00:00", "to": "2026-01-01T00:00:00"},
        {"tenantID": A},
        {"from": ""},
    ],
)
def test_queries_that_are_refused(client: Any, query: dict[str, str]) -> None:
    assert client.post("/reports/tenants", query=query, headers=CSV).status == 400


@pytest.mark.parametrize(
    "accept", [None, "text/csv", "application/xml", "*/*", "application/csv, */*", "application/csv;q=1"]
)
def test_the_format_has_to_be_named_exactly(
    seeded: RunningSimulator, client: Any, generate: Generate, accept: str | None
) -> None:
    report_id = generate()
    assert client.post("/reports/tenants", headers={"Accept": accept}).status == 415
    assert client.get(f"/reports/tenants/{report_id}", headers={"Accept": accept}).status == 415


def test_active_tenants_protect_their_virtual_machines(
    simulator: RunningSimulator, client: Any, generate: Generate
) -> None:
    tenant_id = client.new_tenant("A", "Complete")
    client.register(tenant_id, VM, "<name>web</name>")
    assert _rows(client, generate()) == []
    client.wait(client.post(f"/tenants/{tenant_id}/activate"))
    simulator.configure(clock_offset=3600)
    assert len(_rows(client, generate())) == 1
    client.wait(client.post(f"/tenants/{tenant_id}/deactivate"))
    simulator.configure(clock_offset=7200)
    client.wait(client.post(f"/tenants/{tenant_id}/activate"))
    simulator.configure(clock_offset=9000)
    rows = _rows(client, generate(tenantId=tenant_id))
    lengths = [_seconds(row[5]) - _seconds(row[4]) for row in rows]
    assert lengths == [pytest.approx(3600, abs=5), pytest.approx(1800, abs=5)]
    assert {tuple(row[:2]) for row in rows} == {(tenant_id, "A")}
    client.post(f"/tenants/{tenant_id}/vms/unregister?biosId={VM}")
    simulator.configure(clock_offset=100_000)
    assert _rows(client, generate(tenantId=tenant_id)) == rows
    client.wait(client.delete(f"/tenants/{tenant_id}?removeTenantArtifacts=true"))
    assert _rows(client, generate()) == rows


def _seconds(text: str) -> float:
    return calendar.timegm(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


def test_protection_begins_with_the_registration(simulator: RunningSimulator, client: Any, generate: Generate) -> None:
    tenant_id = client.new_tenant()
    client.wait(client.post(f"/tenants/{tenant_id}/activate"))
    simulator.configure(clock_offset=86400)
    client.register(tenant_id, VM)
    simulator.configure(clock_offset=86400 + 600)
    ((*_rest, start, end),) = _rows(client, generate())
    assert _seconds(end) - _seconds(start) == pytest.approx(600, abs=5)


def test_invented_history_is_the_same_each_time(simulator: RunningSimulator, client: Any, generate: Generate) -> None:
    simulator.configure(history_days=30, history_unassigned_vms=2)
    simulator.seed(tenants=[{"name": "A", "vms": [{"bios_id": VM, "name": "web"}]}])
    rows = _rows(client, generate())
    assert len(rows) == 90
    assert {row[1] for row in rows} == {"A", ""}
    assert all(row[4] < row[5] and row[4][:10] == row[5][:10] for row in rows)
    assert _rows(client, generate()) == rows
    simulator.configure(report_vm_id="bios_id")
    assert VM in {row[2] for row in _rows(client, generate())}


def test_old_periods_are_forgotten(seeded: RunningSimulator, client: Any, generate: Generate) -> None:
    seeded.configure(period_days=460, clock_offset=86400 * 10_000)
    assert _rows(client, generate()) == []


def test_fields_with_separators(simulator: RunningSimulator, client: Any, generate: Generate) -> None:
    simulator.configure(period_days=100_000)
    name = 'a;b "c"\r\nd Ж'
    simulator.seed(tenants=[{"id": A, "name": name}], periods=[{**PERIODS[0], "vm_name": "x\ny"}])
    ((_tenant_id, tenant_name, _vm_id, vm_name, *_rest),) = _rows(client, generate())
    assert (tenant_name, vm_name) == (name, "x\ny")
    simulator.configure(report_quoting="never")
    answer = client.get(f"/reports/tenants/{generate()}", headers=CSV)
    assert answer.text.startswith(f"{A};{name};")


def test_line_ends_and_byte_order_mark(seeded: RunningSimulator, client: Any, generate: Generate) -> None:
    plain = client.get(f"/reports/tenants/{generate()}", headers=CSV).body
    seeded.configure(report_line_end="crlf", report_bom=True)
    dressed = client.get(f"/reports/tenants/{generate()}", headers=CSV).body
    assert dressed == b"\xef\xbb\xbf" + plain.replace(b"\n", b"\r\n")


@pytest.mark.parametrize("style", ["standard", "pages"])
def test_ranges(seeded: RunningSimulator, client: Any, generate: Generate, style: str) -> None:
    seeded.configure(content_range_style=style)
    path = f"/reports/tenants/{generate()}"
    whole = client.get(path, headers=CSV).body
    size = len(whole)
    for wanted, start, stop in (
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=5-{size + 100}", 5, size - 1),
        (f"bytes={size - 1}-{size - 1}", size - 1, size - 1),
        (f"bytes=-{size * 2}", 0, size - 1),
    ):
        answer = client.get(path, headers={**CSV, "Range": wanted})
        separator = " " if style == "standard" else "="
        assert answer.status == 206
        assert answer.headers["Content-Range"] == f"bytes{separator}{start}-{stop}/{size}"
        assert int(answer.headers["Content-Length"]) == stop - start + 1
        assert answer.body == whole[start : stop + 1]


def test_ranges_beyond_the_end(seeded: RunningSimulator, client: Any, generate: Generate) -> None:
    path = f"/reports/tenants/{generate()}"
    size = len(client.get(path, headers=CSV).body)
    for wanted in (f"bytes={size}-", "bytes=-0", "bytes=9-5"):
        answer = client.get(path, headers={**CSV, "Range": wanted})
        assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert client.get(path, headers={**CSV, "Range": "lines=1-2"}).status == 200
    assert client.get(path, headers={**CSV, "Range": "bytes=0-1,4-5"}).status == 200


def test_a_server_without_ranges(seeded: RunningSimulator, client: Any, generate: Generate) -> None:
    path = f"/reports/tenants/{generate()}"
    seeded.configure(ranges=False)
    whole = client.get(path, headers=CSV)
    ranged = client.get(path, headers={**CSV, "Range": "bytes=0-9"})
    assert (ranged.status, ranged.body) == (200, whole.body)
    assert "Content-Range" not in ranged.headers


def test_an_empty_report(client: Any, generate: Generate) -> None:
    path = f"/reports/tenants/{generate()}"
    assert client.get(path, headers=CSV).body == b""
    assert client.get(path, headers={**CSV, "Range": "bytes=0-9"}).status == 416


def test_reports_are_kept_for_a_day(seeded: RunningSimulator, client: Any, generate: Generate) -> None:
    path = f"/reports/tenants/{generate()}"
    seeded.configure(clock_offset=86400 - 60)
    assert client.get(path, headers=CSV).status == 200
    seeded.configure(clock_offset=86400 + 60)
    assert client.get(path, headers=CSV).status == 404
    assert list((seeded.directory / "reports").iterdir()) == []


def test_report_files_are_private(seeded: RunningSimulator, generate: Generate) -> None:
    report = seeded.directory / "reports" / f"{generate()}.csv"
    assert report.stat().st_mode & 0o077 == 0
    assert report.parent.stat().st_mode & 0o077 == 0


def test_a_report_does_not_change_after_it_was_generated(
    seeded: RunningSimulator, client: Any, generate: Generate
) -> None:
    report_id = generate()
    rows = _rows(client, report_id)
    seeded.seed(periods=PERIODS)
    client.wait(client.delete(f"/tenants/{A}?removeTenantArtifacts=true"))
    assert _rows(client, report_id) == rows


def test_the_tenant_is_removed_while_its_report_is_generated(seeded: RunningSimulator, client: Any) -> None:
    seeded.configure(task_seconds=0.3)
    report = client.post(f"/reports/tenants?tenantId={A}", headers=CSV)
    seeded.configure(task_seconds=0)
    client.wait(client.delete(f"/tenants/{A}?removeTenantArtifacts=true"))
    task = client.wait(report)
    assert (task.state, task.code) == ("Failed", "VIRMT_TenantWithSpecifiedIdNotFound")


def test_a_long_report_in_ranges(connect: Callable[..., Any]) -> None:
    with running_simulator(task_seconds=0, tenants=4, vms=2000, history_days=20) as simulator:
        client = connect(simulator)
        task = client.wait(client.post("/reports/tenants", headers=CSV), 30)
        path = f"/reports/tenants/{task.result.text}"
        whole = client.get(path, headers=CSV).body
        assert whole.count(b"\n") >= 40_000
        step = 1 << 20
        parts = [
            client.get(path, headers={**CSV, "Range": f"bytes={at}-{at + step - 1}"}).body
            for at in range(0, len(whole), step)
        ]
        assert b"".join(parts) == whole
        client.close()
