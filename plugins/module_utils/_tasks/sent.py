# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers requests that were sent from here and whose answer is not known, so that no later run sends them again.

Whoever sends a request leaves a mark before, and removes it with the answer. A mark that stays is of a run that died or
lost the answer: the server may be doing what was asked for, in a task that nobody knows. A mark holds for the time in which
that would show; it is a small file beside the remembered tasks, with digests of what was asked for and no secret.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

from .journal import digest, folder_for

_KEPT_SECONDS = 24 * 3600
"""How long a mark is kept after it holds no more: what shows later still proves that the request took effect."""


@dataclass(frozen=True)
class Mark:
    """A request whose answer is not known.

    :param path: Where it is kept; without that file it does not hold.
    :param sent_at: When it was sent, in seconds since the epoch.
    :param until: How long it holds.
    :param things: Digests of the subjects of each thing that was asked for, first the one that tells it from all others.
    """

    path: Path
    sent_at: float
    until: float
    things: tuple[tuple[str, ...], ...]

    def holds(self) -> bool:
        """Return whether what was asked for may still show."""
        return self.remaining() > 0

    def remaining(self) -> float:
        """Return for how many seconds it holds."""
        return max(0.0, self.until - time.time())

    def is_about(self, subject: str) -> bool:
        """Return whether the subject is one of those of any thing asked for."""
        wanted = digest(subject)
        return any(wanted in thing for thing in self.things)


class SentRequests:
    """The marks on this machine about one server.

    :param server: The server's address.
    :param directory: Where to keep them; by default where the tasks are remembered.
    """

    def __init__(self, server: str, directory: Optional[str] = None) -> None:
        self._folder = folder_for(server, directory, "sent")

    def leave(self, things: Iterable[Sequence[str]], seconds: float) -> Optional[Mark]:
        """Leave a mark for a request that is about to be sent; None where it cannot be kept, which is no reason to fail.

        It replaces what earlier marks say about the same things.

        :param things: The subjects of each thing that is asked for, first the one that tells it from all others.
        """
        now = time.time()
        digests = tuple(tuple(map(digest, thing)) for thing in things)
        self._settle({thing[0] for thing in digests})
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mark = Mark(self._folder / uuid.uuid4().hex, now, now + seconds, digests)
            _write(mark)
            return mark
        return None

    def marks(self) -> list[Mark]:
        """Return all marks, the newest first, also those that hold no more."""
        found = []
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
                    if not path.name.startswith("."):
                        found.append(_read(path))
        return sorted(found, key=lambda mark: mark.sent_at, reverse=True)

    def remove(self, mark: Optional[Mark]) -> None:
        """Remove a mark: the answer is known."""
        if mark is not None:
            with contextlib.suppress(OSError):
                mark.path.unlink()

    def shorten(self, mark: Optional[Mark], seconds: float) -> None:
        """Let a mark hold for that many seconds from now on."""
        if mark is not None:
            with contextlib.suppress(OSError):
                _write(replace(mark, until=time.time() + seconds))

    def came_about(self, subjects: Iterable[str], seconds: float) -> dict[str, Mark]:
        """Take things that have come about out of the marks, and return the mark of each.

        It proves that the request took effect, so that its other things have that many seconds from now on to come about.
        """
        by_digest = {digest(subject): subject for subject in subjects}
        found = self._settle(set(by_digest), seconds)
        return {by_digest[own]: mark for own, mark in found.items()}

    def _settle(self, digests: set[str], seconds: Optional[float] = None) -> dict[str, Mark]:
        """Take things out of the marks, and remove marks that are empty or too old; return the mark of each thing."""
        found: dict[str, Mark] = {}
        now = time.time()
        for mark in self.marks():
            mine = {thing[0] for thing in mark.things} & digests
            left = tuple(thing for thing in mark.things if thing[0] not in mine)
            found.update(dict.fromkeys(mine - set(found), mark))
            if not left or mark.until + _KEPT_SECONDS < now:
                self.remove(mark)
            elif mine:
                until = mark.until if seconds is None else max(mark.until, now + seconds)
                with contextlib.suppress(OSError):
                    _write(replace(mark, things=left, until=until))
        return found


def _read(path: Path) -> Mark:
    kept = json.loads(path.read_text(encoding="ascii"))
    things = tuple(tuple(map(str, thing)) for thing in kept["things"])
    return Mark(path, float(kept["sent_at"]), float(kept["until"]), tuple(thing for thing in things if thing))


def _write(mark: Mark) -> None:
    kept = {"sent_at": mark.sent_at, "until": mark.until, "things": mark.things}
    aside = mark.path.with_name(f".{mark.path.name}.{uuid.uuid4().hex}")
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(kept), encoding="ascii")
    os.replace(aside, mark.path)
