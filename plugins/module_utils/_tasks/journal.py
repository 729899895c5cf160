# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remembers by its id what was begun from here, so that a later run knows it again: tasks, infrastructures, images.

While a tenant is being created, the server's task list does not say which tenant it is. A small file per task does: it
lies on the machine where the module runs, holds no name and no secret (a digest of what the task is about), and is
removed after a day. Without it a run still works: it then waits for such tasks to end before it starts its own.

Infrastructures and images are remembered in the same way, apart from the tasks and for years, as no call of API 3.0 is
documented that lists them. What is remembered is believed only as far as the server confirms it. Of reports, it is
remembered for a day that they were fetched.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from pathlib import Path
from typing import Optional
from urllib.parse import quote, unquote

_KEPT_SECONDS = 24 * 3600
_CLEANED_EVERY_SECONDS = 3600
_MARK = ".cleaned"


class TaskJournal:
    """Ids and what each of them is about: of the tasks started from this machine on one server, or of another kind.

    :param server: The server's address.
    :param directory: Where to keep it; by default ``KSVLA_JOURNAL``, or a folder in Ansible's home.
    :param kind: What else than tasks is remembered, ``infrastructures``, ``images`` or ``reports``; each kind is kept
        apart.
    :param kept_seconds: How long; a task for a day.
    """

    def __init__(
        self, server: str, directory: Optional[str] = None, *, kind: str = "", kept_seconds: float = _KEPT_SECONDS
    ) -> None:
        self._folder = folder_for(server, directory, kind)
        self._kept_seconds = kept_seconds
        self._index: Optional[dict[str, list[str]]] = None

    def remember(self, own_id: str, *subjects: str) -> None:
        """Note that what has this id is about the subjects. A folder that cannot be written is no reason to fail."""
        self._index = None
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._remove_old()
            path = self._path(own_id)
            aside = path.with_name(f".{path.name}.{os.getpid()}")
            aside.write_text("\n".join(map(digest, subjects)), encoding="ascii")
            os.replace(aside, path)

    def is_about(self, own_id: str, subject: str) -> Optional[bool]:
        """Return whether what has this id is about the subject, or None when it was not begun from here."""
        try:
            return digest(subject) in self._path(own_id).read_text(encoding="ascii").split()
        except (OSError, ValueError):
            return None

    def remembered_at(self, own_id: str) -> Optional[float]:
        """Return when this id was remembered last, in seconds since the epoch, or None when it was not."""
        try:
            return self._path(own_id).stat().st_mtime
        except (OSError, ValueError):
            return None

    def reread(self) -> None:
        """Let the next look see what other runs have remembered since the last one."""
        self._index = None

    def ids_about(self, subject: str) -> list[str]:
        """Return the ids of what was remembered about the subject, the newest first. The folder is read once."""
        if self._index is None:
            self._index = self._read_index()
        return self._index.get(digest(subject), [])

    def _read_index(self) -> dict[str, list[str]]:
        """Return the ids by the digests of their subjects, the newest first."""
        found: list[tuple[float, str, list[str]]] = []
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                with contextlib.suppress(OSError, ValueError):
                    if not path.name.startswith("."):
                        digests = path.read_text(encoding="ascii").split()
                        found.append((path.stat().st_mtime, unquote(path.name), digests))
        index: dict[str, list[str]] = {}
        for _moment, own_id, digests in sorted(found, reverse=True):
            for digest in digests:
                index.setdefault(digest, []).append(own_id)
        return index

    def _path(self, own_id: str) -> Path:
        return self._folder / quote(own_id, safe="")[:200]

    def _remove_old(self) -> None:
        """Remove what is too old, now and then: looking at every file each time would cost more than it frees."""
        now = time.time()
        mark = self._folder / _MARK
        with contextlib.suppress(OSError):
            if now - mark.stat().st_mtime < min(_CLEANED_EVERY_SECONDS, self._kept_seconds):
                return
        mark.touch(mode=0o600)
        oldest = now - self._kept_seconds
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


def folder_for(server: str, directory: Optional[str], kind: str) -> Path:
    """Return the folder of what is kept about one server on this machine."""
    home = os.environ.get("ANSIBLE_HOME") or "~/.ansible"
    chosen = directory or os.environ.get("KSVLA_JOURNAL") or os.path.join(home, "ksvla_journal")
    return Path(os.path.expanduser(chosen)) / f"{digest(server)[:16]}{f'-{kind}' if kind else ''}"


def digest(text: str) -> str:
    """Return what stands for a text in files and their names."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
