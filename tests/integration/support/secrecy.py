# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks for secrets in everything that a run shows and leaves behind."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from integration.support.playbooks import Json, Playbooks, Run, wait_until

from support.processes import with_descendants

_INPUT = ("play.yml", "record")
"""Files that the test itself writes."""


def run_watched(
    playbooks: Playbooks, tasks: list[Json], place: str | None, environment: Mapping[str, str | None], **options: Any
) -> tuple[Run, set[str]]:
    """Run tasks with the most verbose output; return the run and the command lines of all processes meanwhile."""
    with playbooks.started(tasks, place, arguments=["-vvvv"], environment=environment, **options) as running:
        with _command_lines(running.process.pid) as seen:
            output, errors = running.process.communicate(timeout=900)
        # Ansible removes the module of an asynchronous task some seconds after its end; ending the run here would prevent it.
        wait_until(lambda: not any((playbooks.folder / "ansible" / "remote").iterdir()), 30)
        return running.ended(output, errors).succeeded(), seen


def assert_nowhere(
    forms: Mapping[str, str], playbooks: Playbooks, run: Run, seen: Collection[str], leave_out: Collection[str] = ()
) -> None:
    """Hold that no form of a secret stands anywhere.

    :param forms: What each form is, by the form.
    :param leave_out: Names of files that hold a secret on purpose.
    """
    places = {
        "output": run.output, "errors": run.errors, "log": run.log, "command lines": "\n".join(seen),
        "results": "\n".join(str(task.result) for task in run.tasks),
    }  # fmt: skip
    for path in playbooks.folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.name not in (*_INPUT, *leave_out):
            places[str(path)] = path.read_text(encoding="utf-8", errors="replace")
    assert any("ansible-playbook" in line for line in seen)
    for form, about in forms.items():
        for where, text in places.items():
            assert form not in text, f"the {about} stands in the {where}: {_around(text, form)}"


def _around(text: str, form: str) -> str:
    at = text.index(form)
    return text[max(0, at - 200) : at + 200]


@contextmanager
def _command_lines(playbook: int) -> Iterator[set[str]]:
    """Collect the command lines of a process and all that it starts, as long as the block runs."""
    seen: set[str] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(0.05):
            for process in with_descendants(playbook):
                with suppress(OSError):
                    seen.add(Path(f"/proc/{process}/cmdline").read_text(errors="replace").replace("\0", " "))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()
