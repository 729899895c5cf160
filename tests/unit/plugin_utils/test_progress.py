# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Long waits show few lines."""

from __future__ import annotations

from support.web import FakeClock

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._progress import ProgressLines


class Screen:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lines: list[str] = []
        self.show = ProgressLines(self.lines.append, "own", self.clock.monotonic)

    def after(self, seconds: float, subject: str, text: str) -> None:
        self.clock.time += seconds
        self.show(subject, text)


def test_a_short_wait_shows_nothing() -> None:
    screen = Screen()
    for _look in range(14):
        screen.after(0.1, "svm-07", "Upload 1 %")
    assert screen.lines == []


def test_each_subject_has_its_line_and_not_too_often() -> None:
    screen = Screen()
    screen.after(2, "svm-07", "Upload 1 %")
    screen.after(0, "svm-08", "Upload 1 %")
    screen.after(0.5, "svm-07", "Upload 2 %")
    screen.after(0.6, "svm-07", "Upload 3 %")
    assert screen.lines == [
        "  [own] svm-07: Upload 1 %",
        "  [own] svm-08: Upload 1 %",
        "  [own] svm-07: Upload 3 %",
    ]


def test_a_subject_that_is_the_host_is_not_named_twice() -> None:
    screen = Screen()
    screen.after(2, "own", "Upload 1 %")
    assert screen.lines == ["  [own] Upload 1 %"]


def test_what_does_not_change_is_shown_again_after_a_minute() -> None:
    screen = Screen()
    screen.after(2, "a", "Running")
    for _second in range(59):
        screen.after(1, "a", "Running")
    assert len(screen.lines) == 1
    screen.after(1, "a", "Running")
    assert len(screen.lines) == 2
