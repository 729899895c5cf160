# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets runs on one machine start the same change one after the other.

A controller that is killed may leave workers behind that go on, while the operator starts the same playbook again. Both
then see what is missing at the same moment. Whoever starts a change takes a turn for its subject: the other one waits for
these few moments, learns that somebody had the turn, and looks again before it sends anything. Turns are file locks, which
the system releases when a process dies; between machines there are none, and the server's own refusals remain.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Optional

from .._clock import NO_DEADLINE, Deadline
from .._errors import WaitTimeout
from .journal import digest, folder_for

PATIENCE_SECONDS = 60.0
"""How long a turn is waited for. Starting a change takes one request; a holder that takes longer hangs."""
_PAUSE = 0.05
_TICK = 0.05
"""Seconds by which the times of files may be behind."""
_LATELY_SECONDS = 3600.0
"""How long what was started in an earlier turn may have gone on, so as to end just when others read what is there."""
_SLOTS = 3
"""Hexadecimal digits of the digest that name a file, so that there are never more than some thousands of them."""


class Turns:
    """The turns on one server.

    :param server: The server's address.
    :param directory: Where to keep the locks; by default where the tasks are remembered.
    """

    def __init__(self, server: str, directory: Optional[str] = None) -> None:
        self._folder = folder_for(server, directory, "turns")

    @contextmanager
    def take(
        self, subject: str, since: float, patience: float = PATIENCE_SECONDS, deadline: Deadline = NO_DEADLINE
    ) -> Iterator[bool]:
        """Have the turn for a subject, and say whether somebody else had it lately, so that looking again is due.

        Where no locks can be kept, everybody has the turn at once: it is a help, and no reason to fail.

        :param since: When what is decided on was read, in seconds since the epoch.
        :param patience: Seconds to wait for it; after that it is had all the same, by two at once.
        :param deadline: When there is no time left to do anything with it.
        :raises WaitTimeout: when it does not come before the deadline.
        """
        handle = self._open(subject)
        if handle is None:
            yield False
            return
        try:
            at_once, had = _lock(handle, deadline.shortened(patience))
            if not at_once and not had and deadline.expired():
                raise WaitTimeout(
                    "Another run on this machine has been starting the same change all the time that was to be waited.",
                    hint="Run this again when that one has ended, or raise wait_timeout.",
                )
            others = not at_once or _used_lately(handle, subject, since)
            if had:
                _note_use(handle, subject)
            try:
                yield others
            finally:
                if had:
                    _note_use(handle, subject)
        finally:
            os.close(handle)

    def _open(self, subject: str) -> Optional[int]:
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self._folder / digest(subject)[:_SLOTS], os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return None


def _lock(handle: int, patience: float) -> tuple[bool, bool]:
    """Return whether the lock was free at once, and whether it is had now."""
    end = time.monotonic() + patience
    at_once = True
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            at_once = False
        except OSError:
            # A file system without locks.
            return True, False
        else:
            return at_once, True
        if time.monotonic() >= end:
            return False, False
        time.sleep(_PAUSE)


def _used_lately(handle: int, subject: str, since: float) -> bool:
    """Return whether the file was used for the subject lately, or since that moment, perhaps for it."""
    used = os.fstat(handle)
    if used.st_size == 0:
        return False
    same = os.pread(handle, 64, 0) == digest(subject).encode("ascii")
    return used.st_mtime >= since - (_LATELY_SECONDS if same else _TICK)


def _note_use(handle: int, subject: str) -> None:
    """Leave the time of this use and what it was for; a file that was only just made is empty."""
    with contextlib.suppress(OSError):
        os.pwrite(handle, digest(subject).encode("ascii"), 0)
