# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The marks of requests whose answer is not known: for how long they hold, and what they say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks import sent as _sent
from ansible_collections.ksvla.light_agent.plugins.module_utils._tasks.sent import Mark, SentRequests

ONE, TWO = ["deploy one", "deploy one anywhere"], ["deploy two", "with settings"]


class _Clock(SimpleNamespace):
    """The time of the marks."""

    now = 1_000_000.0

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    fake = _Clock()
    monkeypatch.setattr(_sent, "time", fake)
    return fake


@pytest.fixture
def sent(tmp_path: Path) -> SentRequests:
    return SentRequests("https://ksv:7271", str(tmp_path))


def _about(sent: SentRequests, subject: str) -> list[Mark]:
    return [mark for mark in sent.marks() if mark.is_about(subject)]


def test_a_mark_holds_for_its_time(sent: SentRequests, clock: _Clock) -> None:
    mark = sent.leave([ONE, TWO], 60)
    assert mark
    assert mark == sent.marks()[0]
    assert all(mark.is_about(subject) for subject in (*ONE, *TWO))
    assert not mark.is_about("deploy three")
    clock.now += 59
    assert (mark.holds(), mark.remaining()) == (True, 1)
    clock.now += 1
    assert not mark.holds()
    sent.remove(mark)
    assert sent.marks() == []


def test_servers_have_marks_of_their_own(sent: SentRequests, tmp_path: Path) -> None:
    sent.leave([ONE], 60)
    assert SentRequests("https://other:7271", str(tmp_path)).marks() == []


def test_what_most_likely_did_nothing_holds_for_less(sent: SentRequests, clock: _Clock) -> None:
    sent.shorten(sent.leave([ONE], 60), 5)
    assert sent.marks()[0].remaining() == 5


def test_what_came_about_gives_the_rest_its_time_anew(sent: SentRequests, clock: _Clock) -> None:
    left = sent.leave([ONE, TWO], 60)
    clock.now += 100
    assert sent.came_about(["deploy one", "deploy three"], 60) == {"deploy one": left}
    assert _about(sent, "deploy one anywhere") == []
    (mark,) = _about(sent, "deploy two")
    assert mark.remaining() == 60
    assert sent.came_about(["deploy one"], 600) == {}
    assert sent.marks()[0].remaining() == 60
    sent.came_about(["deploy two"], 60)
    assert sent.marks() == []


def test_only_what_tells_a_thing_apart_settles_it(sent: SentRequests) -> None:
    sent.leave([ONE, TWO], 60)
    assert sent.came_about(["deploy one anywhere", "with settings"], 60) == {}
    assert len(sent.marks()[0].things) == 2


def test_a_new_request_replaces_an_old_one_about_the_same(sent: SentRequests, clock: _Clock) -> None:
    sent.leave([ONE, TWO], 60)
    clock.now += 100
    newer = sent.leave([ONE], 60)
    assert _about(sent, "deploy one") == [newer]
    (old,) = _about(sent, "deploy two")
    assert not old.holds(), "nothing came about of it"


def test_old_marks_are_removed(sent: SentRequests, clock: _Clock) -> None:
    sent.leave([ONE], 60)
    clock.now += 24 * 3600 + 61
    sent.leave([TWO], 60)
    assert len(sent.marks()) == 1


@pytest.mark.parametrize("content", ["", "{}", "[]", "text", '{"sent_at": null, "until": 1, "things": []}'])
def test_what_cannot_be_read_is_no_mark(sent: SentRequests, content: str) -> None:
    mark = sent.leave([ONE], 60)
    assert mark
    mark.path.write_text(content)
    assert sent.marks() == []


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sent = SentRequests("https://ksv:7271", str(tmp_path / "file"))
    assert sent.leave([ONE], 60) is None
    sent.shorten(None, 5)
    sent.remove(None)
    assert sent.came_about(["deploy one"], 60) == {}
    assert sent.marks() == []


def test_neither_names_nor_others_can_read_them(sent: SentRequests) -> None:
    mark = sent.leave([ONE], 60)
    assert mark
    assert "one" not in mark.path.read_text()
    assert (mark.path.stat().st_mode & 0o777, mark.path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
