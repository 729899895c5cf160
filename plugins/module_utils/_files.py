# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that several runs share: replaced whole or not at all, and changed by one run after the other."""

from __future__ import annotations

import fcntl
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ._clock import Clock, Deadline
from ._errors import KsvlaError

_PAUSE = 0.05


def replace_file(path: Path, text: str) -> None:
    """Write a file that only its owner can read; where that fails, the one that was there stays whole."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogatepass") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


@contextmanager
def locked(handle: int, deadline: Deadline, clock: Clock, busy: KsvlaError) -> Iterator[None]:
    """Hold the lock of an open file, and close it; raise what is given when another run holds it until the deadline.

    The system releases the lock when the process dies. There is none on a file system without locks.
    """
    try:
        with suppress(OSError):  # A file system without locks.
            while not _taken(handle):
                if deadline.expired():
                    raise busy
                clock.sleep(deadline.shortened(_PAUSE))
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    with suppress(BlockingIOError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
