# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a machine must know again: the requests that were sent from here, and the locks under which they are sent.

The server does not say which tenant a task creates, and API 3.0 lists neither tasks nor images. So each request leaves a
record before it is sent, completed with the id that the server answers: a later run attaches to what an earlier one
started, also after that one was killed. A record is a small JSON file that a person can read; it holds no secret. All
records are in one folder: ``KSVLA_STATE_DIR``, by default ``ksvla`` in Ansible's home.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

from .._clock import SYSTEM_CLOCK, Clock, Deadline
from .._errors import InputError, WaitTimeout
from .._files import locked, replace_file

DAY_SECONDS = 24 * 3600.0
_CLEANED_EVERY_SECONDS = 3600.0
_LOCK_DIGITS = 3
"""Hexadecimal digits of the digest that name a lock, so that there are never more than some thousands of files."""


@dataclass(frozen=True)
class Record:
    """One request.

    :param key: Unique name of what it is about; a later request about the same replaces the record.
    :param about: The same for a person, such as ``create tenant Alpine``.
    :param sent_at: When it was sent, in seconds since the epoch; in the file as a date and time.
    :param settings: What distinguishes one such request from another, as of a deployment, as JSON can hold it; no secret.
    :param kept_seconds: How long it is valid; None for as long as the server confirms it.
    :param id: What the server answered: the id of a task, an infrastructure, or an image; None while it is not known.
    """

    key: str
    about: str
    sent_at: float
    settings: Any = ""
    kept_seconds: Optional[float] = DAY_SECONDS
    id: Optional[str] = None

    @property
    def sent(self) -> str:
        """When it was sent, in local time, for messages."""
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.sent_at))


class Memory:
    """The records about one server on this machine.

    :param server: The server's address, such as ``https://ksv.example.com:7271``.
    :param directory: The folder that the user names; None for the default.
    :raises InputError: when a folder was named and cannot be used.
    """

    def __init__(self, server: str, directory: Optional[str] = None, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        base = Path(os.path.expanduser(directory)) if directory else default_folder()
        if directory:
            _require_usable(base, directory)
        self.folder = base / re.sub(r"[^\w.-]+", "_", server.partition("://")[2]).strip("_")
        self._unwritten: dict[str, Record] = {}
        """Records that could not be kept on disk, as in a home that cannot be written."""

    def find(self, key: str) -> Optional[Record]:
        """Return the record of a request that is still valid; raise InputError when it was edited and is not one any more."""
        record = self._unwritten.get(key) or _read(self._path(key))
        return record if record is not None and record.key == key and self._holds(record) else None

    def find_all(self, prefix: str) -> list[Record]:
        """Return the records whose keys begin so, the newest first.

        :param prefix: The first word of the keys with the blank after it, such as ``"svm "``.
        """
        found = {record.key: record for record in self._unwritten.values()}
        with suppress(OSError):
            # A list, so that an error does not leave the folder open.
            for path in list(self.folder.glob(f"{prefix.split(maxsplit=1)[0]}-*.json")):
                record = _read(path)
                if record is not None:
                    found.setdefault(record.key, record)
        matching = [record for record in found.values() if record.key.startswith(prefix) and self._holds(record)]
        return sorted(matching, key=lambda record: record.sent_at, reverse=True)

    def age(self, record: Record) -> float:
        """Return the seconds since a request was sent; 0 when the system's clock was set back."""
        return max(0.0, self._clock.now() - record.sent_at)

    def note(self, key: str, about: str, *, settings: Any = "", kept_seconds: Optional[float] = DAY_SECONDS) -> Record:
        """Keep that a request is about to be sent, and return its record."""
        record = Record(key, about, self._clock.now(), settings, kept_seconds)
        self.keep(record)
        return record

    def complete(self, record: Record, own_id: str) -> Record:
        completed = replace(record, id=own_id)
        self.keep(completed)
        return completed

    def keep(self, record: Record) -> None:
        """Keep a record; where it cannot be written to disk, for this run alone."""
        try:
            self._make_folder()
            _write(self._path(record.key), record)
        except OSError:
            self._unwritten[record.key] = record
        else:
            self._unwritten.pop(record.key, None)
            with suppress(OSError):
                self._clean()

    def keeps(self, record: Record) -> bool:
        """Return whether a later run will find the record."""
        return record.key not in self._unwritten

    def forget(self, record: Record) -> None:
        """Remove a record: the request certainly did nothing, or what it made is gone."""
        self._unwritten.pop(record.key, None)
        with suppress(OSError):
            self._path(record.key).unlink()

    def path_of(self, record: Record) -> Path:
        return self._path(record.key)

    @contextmanager
    def locks(self, subjects: Iterable[str], deadline: Deadline) -> Iterator[None]:
        """Keep other runs on this machine from starting any of the same changes at the same time.

        All runs take locks in the same order, so they cannot deadlock. Between machines there are no locks: there, only
        the server can refuse a second change.

        :raises WaitTimeout: when another run holds one of them until the deadline.
        """
        # Several changes may share a file, and a process that has locked it would wait for itself.
        files = {f".lock-{_digest(subject)[:_LOCK_DIGITS]}": subject for subject in subjects}
        with ExitStack() as held:
            for name, subject in sorted(files.items()):
                busy = WaitTimeout(
                    f"Another run on this machine is busy with the same change: {subject}.",
                    hint="Run this again when that one has ended, or raise wait_timeout.",
                )
                # A folder that is not writable gives no lock.
                with suppress(OSError):
                    self._make_folder()
                    handle = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                    held.enter_context(locked(handle, deadline, self._clock, busy))
            yield

    def _holds(self, record: Record) -> bool:
        return record.kept_seconds is None or self.age(record) <= record.kept_seconds

    def _make_folder(self) -> None:
        if self.folder.parts[0].startswith("~"):
            raise OSError("the account has no home folder")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _clean(self) -> None:
        """Remove expired records, at most once an hour: reading every file each time would cost too much."""
        mark, now = self.folder / ".cleaned", self._clock.now()
        with suppress(OSError):
            if 0 <= now - mark.stat().st_mtime < _CLEANED_EVERY_SECONDS:
                return
        mark.touch(mode=0o600)
        os.utime(mark, (now, now))
        for path in self.folder.glob("*.json"):
            with suppress(InputError):
                record = _read(path)
                if record is not None and not self._holds(record):
                    path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / file_name(key)


def file_name(key: str) -> str:
    """Return the name of the file that holds the record of a key."""
    return f"{key.split(maxsplit=1)[0]}-{_digest(key)[:20]}.json"


def default_folder() -> Path:
    """Return where records are kept when the user names no folder: ``ksvla`` in Ansible's home."""
    return Path(os.path.expanduser(os.environ.get("ANSIBLE_HOME") or "~/.ansible")) / "ksvla"


def _require_usable(folder: Path, named: str) -> None:
    if not folder.is_dir():
        raise InputError(
            f"The folder for what is remembered between runs does not exist: {named}.",
            hint="Create it, or correct KSVLA_STATE_DIR or ksvla_state_dir.",
        )
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise InputError(
            f"The folder for what is remembered between runs cannot be written to: {named}.",
            hint="Let the account that runs Ansible write there, or name another folder with KSVLA_STATE_DIR.",
        )


def _read(path: Path) -> Optional[Record]:
    """Return the record in a file, or None if the file is missing or is not JSON, as when a write was interrupted.

    :raises InputError: when it is JSON, but not a record.
    """
    try:
        fields = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
    except (OSError, ValueError, RecursionError):
        return None
    with suppress(TypeError, ValueError, KeyError, OverflowError):
        record = Record(**{**fields, "sent_at": datetime.fromisoformat(fields["sent_at"]).timestamp()})
        texts = (record.key, record.about, record.id or "")
        if (
            all(isinstance(text, str) for text in texts)
            and isinstance(record.settings, (str, list, dict))
            and isinstance(record.kept_seconds or 0, (int, float))
        ):
            return record
    raise edited(str(path))


def edited(file: str) -> InputError:
    """Return the error for the file of a record that a person has edited and that cannot be understood any more."""
    return InputError(
        f"The file {file} is not a valid record any more: it was edited.",
        hint="It records a request that was sent to the server. Correct it, or remove the file once the server has completed "
        "that request, which is then forgotten.",
    )


def _write(path: Path, record: Record) -> None:
    sent_at = datetime.fromtimestamp(record.sent_at, timezone.utc).isoformat()
    replace_file(path, json.dumps({**asdict(record), "sent_at": sent_at}, ensure_ascii=False, indent=1) + "\n")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
