# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a report: sums against a plain reference, whatever the pieces that it comes in."""

from __future__ import annotations

import itertools
import tracemalloc
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import report_bytes, uuids

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report import periods as _periods
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report.periods import ReportReader

EPOCH = datetime(2026, 1, 1)  # noqa: DTZ001 - the dates of reports have no zone
VM = "11111111-2222-4333-8444-555555555555"
TENANT = "66666666-7777-4888-8999-aaaaaaaaaaaa"


def reader_of(
    content: bytes, cuts: list[int] | None = None, *, summary: str = "vms", keep: bool = True
) -> ReportReader:
    """Feed a report, cut into pieces at these places."""
    reader = ReportReader(summary, keep_periods=keep)
    bounds = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts or [])})
    for start, end in itertools.pairwise(bounds):
        reader.feed(content[start:end])
    reader.finish()
    return reader


def written(second: int) -> str:
    return (EPOCH + timedelta(seconds=second)).isoformat()


# ---- whole reports ----------------------------------------------------------------------------------------------------

_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=6).filter(
    lambda name: "\ufeff" not in name
)
_LINES = st.tuples(
    st.sampled_from(["", TENANT, TENANT.upper()]),
    _NAMES,
    uuids,
    _NAMES,
    st.integers(0, 500),
    st.integers(0, 90) | st.none(),
)


def _quote(field: str) -> str:
    return '"' + field.replace('"', '""') + '"' if any(mark in field for mark in ';"') else field


@st.composite
def _reports(draw: st.DrawFn) -> tuple[list[Any], bytes]:
    vms = draw(st.lists(uuids, min_size=1, max_size=3))
    lines = [
        (t, name, draw(st.sampled_from(vms)), vm, start, length)
        for t, name, _id, vm, start, length in draw(st.lists(_LINES, max_size=12))
    ]
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    rows = [
        ";".join(
            [t, _quote(name), vm_id, _quote(vm), written(start), "" if length is None else written(start + length)]
        )
        for t, name, vm_id, vm, start, length in lines
    ]
    content = end.join(rows) + draw(st.sampled_from(["", end, end + end]))
    return lines, draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + content.encode()


@given(_reports(), st.lists(st.integers(0, 10_000), max_size=20), st.sampled_from([0, 50, 10_000]))
def test_periods_and_sums_of_any_report_in_any_pieces(
    report: tuple[list[Any], bytes], cuts: list[int], memory: int
) -> None:
    lines, content = report
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_periods, "GROUP_BYTES", memory)
        reader = reader_of(content, cuts)
    assert reader.unreadable == 0
    assert [
        (p["tenant_id"], p["tenant_name"], p["vm_id"], p["vm_name"], p["protected_from"], p["protected_to"])
        for p in reader.periods
    ] == [
        (t or None, name or None, vm_id, vm, written(start), None if length is None else written(start + length))
        for t, name, vm_id, vm, start, length in lines
    ]
    covered: dict[tuple[str, str], set[int]] = defaultdict(set)
    count: dict[tuple[str, str], int] = defaultdict(int)
    for t, _name, vm_id, _vm, start, length in lines:
        covered[t, vm_id].update(range(start, start + (length or 0)))
        count[t, vm_id] += 1
    assert {
        (s["tenant_id"] or "", s["vm_id"]): (s["periods"], s["protected_seconds"]) for s in reader.summary("vms")
    } == {key: (count[key], len(seconds)) for key, seconds in covered.items()}
    assert reader.still_open == sum(length is None for *_rest, length in lines)
    assert reader.is_report


@given(_reports(), st.lists(st.integers(0, 10_000), max_size=20))
def test_sums_are_the_same_whether_periods_are_kept_or_not(report: tuple[list[Any], bytes], cuts: list[int]) -> None:
    _lines, content = report
    for summary in ("tenants", "vms"):
        kept = reader_of(content, summary=summary)
        sums = reader_of(content, cuts, summary=summary, keep=False)
        assert sums.summary(summary) == kept.summary(summary)
        assert (sums.still_open, sums.unreadable) == (kept.still_open, kept.unreadable)
        assert sums.periods == []


@given(_reports())
def test_sums_of_tenants_are_those_of_their_machines(report: tuple[list[Any], bytes]) -> None:
    _lines, content = report
    expected: dict[str | None, list[int]] = {}
    for vm in reader_of(content).summary("vms"):
        sums = expected.setdefault(vm["tenant_id"], [0, 0, 0])
        for index, number in enumerate((1, vm["periods"], vm["protected_seconds"])):
            sums[index] += number
    tenants = reader_of(content, summary="tenants").summary("tenants")
    assert {t["tenant_id"]: [t["vms"], t["periods"], t["protected_seconds"]] for t in tenants} == expected


@given(report_bytes, st.lists(st.integers(0, 300), max_size=5))
def test_no_content_fails_and_pieces_do_not_matter(content: bytes, cuts: list[int]) -> None:
    whole, pieces = reader_of(content), reader_of(content, cuts)
    assert (whole.periods, whole.unreadable) == (pieces.periods, pieces.unreadable)
    assert whole.summary("vms") == pieces.summary("vms")


def line(
    tenant_name: str = "Northwind", vm_name: str = "web-01", start: str = written(0), end: str = written(60)
) -> str:
    return f"{TENANT};{tenant_name};{VM};{vm_name};{start};{end}"


def test_ids_in_braces_are_shown_without_them() -> None:
    content = f"{{{TENANT}}};Northwind;{{{VM}}};web-01;{written(0)};{written(60)}\n".encode()
    reader = reader_of(content, summary="vms")
    (vm,), (period,) = reader.summary("vms"), reader.periods
    assert [vm["tenant_id"], vm["vm_id"], period["tenant_id"], period["vm_id"]] == [TENANT, VM, TENANT, VM]


def test_the_summary_of_a_machine_and_of_its_tenant() -> None:
    content = (line() + "\n").encode()
    assert reader_of(content, summary="tenants").summary("tenants") == [
        {"tenant_id": TENANT, "tenant_name": "Northwind", "vms": 1, "periods": 1, "protected_seconds": 60}
    ]
    assert reader_of(content).summary("vms") == [
        {
            "tenant_id": TENANT,
            "tenant_name": "Northwind",
            "vm_id": VM,
            "vm_name": "web-01",
            "periods": 1,
            "protected_seconds": 60,
        }
    ]


@pytest.mark.parametrize(
    ("written_name", "name"),
    [
        ("plain", "plain"),
        ("semi;colon", "semi;colon"),
        (";", ";"),
        ('"semi;colon"', "semi;colon"),
        ('"say ""hi"""', 'say "hi"'),
        ('"two\nlines"', "two\nlines"),
        ("5\" disk", '5" disk'),
        (" blanks ", " blanks "),
        ("", ""),
    ],
)  # fmt: skip
def test_names(written_name: str, name: str) -> None:
    for content in (line(vm_name=written_name), line(tenant_name=written_name)):
        reader = reader_of((content + "\n" + line() + "\n").encode())
        assert reader.unreadable == 0
        assert len(reader.periods) == 2
        assert name in (reader.periods[0]["vm_name"], reader.periods[0]["tenant_name"] or "")


def test_a_heading_is_passed_over_and_other_lines_are_counted() -> None:
    heading = "tenant ID;tenant name;VM ID;VM name;protection enabled;protection disabled\n"
    assert reader_of((heading + line() + "\n").encode()).unreadable == 0
    reader = reader_of(
        (line() + "\nnonsense\n\n" + line(end="yesterday") + "\n" + line(start=written(9), end=written(8))).encode()
    )
    assert reader.unreadable == 3
    assert len(reader.periods) == 1


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59", "0001-01-01T00:00:00", "2106-02-07T06:28:16"])
def test_a_date_beyond_all_dates_is_no_end(end: str) -> None:
    reader = reader_of((line(end=end) + "\n" + line() + "\n").encode())
    assert (reader.still_open, reader.unreadable, len(reader.periods)) == (1, 0, 2)
    assert reader.summary("vms")[0]["protected_seconds"] == 60
    assert reader_of(("heading\n" + line(start=end, end=end) + "\n").encode()).unreadable == 1


def test_a_field_too_long_for_a_reader_of_csv() -> None:
    reader = reader_of((line() + "\n" + line(vm_name='"' + "x" * 200_000 + '"') + "\n").encode())
    assert (len(reader.periods), reader.unreadable) == (1, 1)


@pytest.mark.parametrize("name", ['"open', '"', '"a"b"', '""""x'])
def test_quotes_of_a_server_that_does_not_quote(name: str) -> None:
    content = "".join(line(vm_name=f"{name}{number}") + "\n" for number in range(50))
    reader = reader_of(content.encode())
    assert (len(reader.periods), reader.unreadable) == (50, 0)


@pytest.mark.parametrize("first", [True, False])
def test_a_quote_that_never_ends_does_not_swallow_the_report(first: bool) -> None:
    broken = f'{TENANT};"open;{VM};x;{written(0)}\n'
    content = ("" if first else line() + "\n") + broken + (line() + "\n") * 100
    reader = reader_of(content.encode())
    assert len(reader.periods) == 100 + (not first)
    assert reader.unreadable == int(not first)  # as the first line it may be a heading


def test_memory_grows_neither_with_periods_nor_with_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_periods, "GROUP_BYTES", 1000)
    reader = ReportReader("tenants", folder=tmp_path)
    tracemalloc.start()
    try:
        for first in range(0, 30_000, 1000):
            lines = [line().replace(VM, str(number % 15_000)) for number in range(first, first + 1000)]
            reader.feed("\n".join([*lines, ""]).encode())
            del lines
        reader.finish()
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reader.summary("tenants")[0] | {"tenant_name": ""} == {
        "tenant_id": TENANT, "tenant_name": "", "vms": 15_000, "periods": 30_000, "protected_seconds": 15_000 * 60
    }  # fmt: skip
    assert peak < 2 * 1024 * 1024
    assert list(tmp_path.iterdir()) == []  # The temporary files have no names.


def test_a_line_without_an_end_takes_neither_time_nor_memory() -> None:
    reader = ReportReader("vms")
    piece = b"x" * 65536
    tracemalloc.start()
    try:
        for _number in range(512):
            reader.feed(piece)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    reader.feed(f"\n{line()}\n".encode())
    reader.finish()
    assert peak < 2 * 1024 * 1024
    assert (reader.unreadable, reader.summary("vms")[0]["periods"]) == (0, 1)  # as the first line it may be a heading


@given(st.integers(0, 40), st.integers(0, 40), st.lists(st.integers(0, 400), max_size=20), st.booleans())
def test_a_line_that_is_too_long_is_counted_whatever_its_pieces(
    before: int, longer: int, cuts: list[int], ended: bool
) -> None:
    longest = len(line())
    content = (line() + "\n") * (before % 2) + "x" * (longest + longer) + ("\n" + line() if ended else "")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(_periods, "_LONGEST_LINE", longest)
        reader = reader_of(content.encode(), cuts)
    assert len(reader.periods) == before % 2 + ended
    assert reader.unreadable == before % 2  # as the first line it may be a heading


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("2026-01-01T00:01:00", 60),
        ("2026-01-01T00:01:00Z", 60),
        ("2026-01-01T00:01:00.5000000Z", 60),
        ("2026-01-01T02:01:00+02:00", 60),
        ("2026-01-01T00:01:00.123", 60),
        (" 2026-01-01T00:01:00 ", 60),
        ("2026-01-01T00:01", 60),
        ("2026-01-02T00:00:00", 86400),
    ],
)
def test_dates(date: str, seconds: int) -> None:
    # The second line is on days that are known.
    reader = reader_of(f"{line()}\n{line(end=date)}\n{line(end=date)}\n".encode())
    assert (reader.unreadable, reader.summary("vms")[0]["protected_seconds"]) == (0, seconds)


def test_a_period_that_ends_before_it_begins_is_not_one() -> None:
    reader = reader_of(f"{line()}\n{line(start=written(9), end=written(8))}\n".encode(), keep=False)
    assert (reader.unreadable, reader.period_count) == (1, 1)


@pytest.mark.parametrize(
    "date", ["2026-13-01T00:00:00", "2026-01-01T25:00:00", "2026-01-01T00:01:000", "2026-1-1T1:1:1"]
)
def test_dates_that_do_not_exist(date: str) -> None:
    reader = reader_of(f"{line()}\n{line(end=date)}\n{line(start=date)}\n".encode(), keep=False)
    assert (reader.unreadable, reader.period_count) == (2, 1)


@pytest.mark.parametrize(
    ("content", "is_report"),
    [
        ("", True),
        ("\n\n", True),
        ("tenant ID;tenant name;VM ID;VM name;protection enabled;protection disabled\n", True),
        (line(), True),
        ("<html>\n<body>Bad gateway</body>\n</html>\n", False),
        ("garbage", False),
        ("a;b;c;d;e;f\ng;h;i;j;k;l\n", False),
        ((line(start="15.01.2026 10:00:00", end="15.01.2026 11:00:00") + "\n") * 2, True),
    ],
)
@pytest.mark.parametrize("summary", ["none", "tenants"])
def test_what_is_not_a_report_is_recognized(content: str, is_report: bool, summary: str) -> None:
    assert reader_of(content.encode(), summary=summary, keep=False).is_report is is_report


def test_without_a_summary_reading_ends_with_the_first_period() -> None:
    reader = reader_of((line() + "\n").encode() + b"nonsense\n" * 1000, [200], summary="none", keep=False)
    assert (reader.period_count, reader.summary("none")) == (1, [])
    assert reader.unreadable < 10


@pytest.mark.parametrize("text", ["", "a;b", "a;b;c;d;e;f;g;h", f"a;{VM};{VM};{VM};x;y;z"])
def test_lines_without_the_six_fields_are_counted(text: str) -> None:
    reader = reader_of(f"{line()}\n{text}\n".encode())
    assert (len(reader.periods), reader.unreadable) == (1, int(bool(text)))
