# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a report goes to: checked before anything is sent, written beside it, moved into place when it is new."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import time
from pathlib import Path
from typing import Optional

from ..._errors import InputError, KsvlaError
from ..._module.context import Parameters, Result
from .download import Downloaded

_PART = ".part"
_PIECE = 1024 * 1024
_REPORT_SECONDS = 24 * 3600
"""How long the server keeps a report. A part of an older one can no longer be completed."""
_NOT_MOVED = frozenset({errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.ETXTBSY})
"""What moving a file over another fails with where writing into that one may succeed, because it is mounted or because
the folder protects the files of other users."""


class ReportFile:
    """The file that a report goes to, which may exist already.

    :param options: The module's options, with ``mode``, ``unsafe_writes`` and the other usual ones for files.
    :raises InputError: when no report can be put there.
    """

    def __init__(self, dest: str, options: Parameters) -> None:
        self.options = options
        try:
            self.path = Path(os.path.abspath(dest))
            _check(self.path)
        except (OSError, ValueError) as error:
            raise InputError(f"dest cannot be used: {dest}: {getattr(error, 'strerror', None) or error}.") from None
        self._part_start = f".ksvla-{_short(self.path.name)}-"

    def part(self, report_id: str) -> Path:
        """Return where a report is written until it is whole. Parts that can no longer be completed are removed."""
        part = self.path.with_name(f"{self._part_start}{_short(report_id)}{_PART}")
        oldest = time.time() - _REPORT_SECONDS
        for path in self.path.parent.glob(f"{self._part_start}*{_PART}"):
            with contextlib.suppress(OSError):
                if path != part and path.stat().st_mtime < oldest:
                    path.unlink()
        return part

    def read(self) -> Optional[Downloaded]:
        """Return size and SHA-256 of what is there, or None when nothing is there."""
        checksum = hashlib.sha256()
        size = 0
        try:
            with self.path.open("rb") as file:
                while piece := file.read(_PIECE):
                    checksum.update(piece)
                    size += len(piece)
        except FileNotFoundError:
            return None
        return Downloaded(size, checksum.hexdigest())

    def differs(self, report: Downloaded) -> bool:
        """Return whether what is there is not this report."""
        try:
            return self.path.stat().st_size != report.size or self.read() != report
        except FileNotFoundError:
            return True

    def place(self, part: Path, report: Downloaded) -> None:
        """Move a report into place."""
        try:
            self._take_over(part)
            os.replace(part, self.path)
        except FileNotFoundError:
            # Another run that fetched the same report may have moved it just now.
            if self.differs(report):
                raise
        except OSError as error:
            if self.options.get("unsafe_writes") and error.errno in _NOT_MOVED:
                # A reader may see half of it.
                with part.open("rb") as source, self.path.open("wb") as target:
                    shutil.copyfileobj(source, target, _PIECE)
                part.unlink()
                return
            with contextlib.suppress(OSError):
                os.chmod(part, 0o600)
            raise

    def failure(self, error: OSError, result: Result) -> KsvlaError:
        """Return the failure that an error of the file system is, which names the file and says how to go on."""
        remedy = "Make room or allow writing there, or give another dest"
        if error.errno == errno.EBUSY:
            remedy = "Give another dest, or unsafe_writes: true where a single file is mounted into a container"
        return KsvlaError(
            f"The report cannot be written to {self.path}: {error.strerror or error}.",
            details=result,
            hint=f"{remedy}, and run this again with report_id: {result['report_id']}.",
        )

    def _take_over(self, part: Path) -> None:
        """Give the new file owner and permissions of the one that it replaces, unless the user wants others."""
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return
        with contextlib.suppress(PermissionError):
            os.chown(part, there.st_uid, there.st_gid)
        mode = self.options.get("mode")
        if mode is None or not str(mode).isdigit():
            # Letters, such as g+r, start from the permissions that were there.
            os.chmod(part, stat.S_IMODE(there.st_mode))


def _check(path: Path) -> None:
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"The folder of dest does not exist where the module runs: {folder}.")
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        mode = None
    if mode is not None and stat.S_ISDIR(mode):
        raise InputError(f"dest is a folder: {path}. Give the name of the file, such as {path / 'protection.csv'}.")
    if mode is not None and not stat.S_ISREG(mode):
        raise InputError(f"dest is not a regular file: {path}.")
    if not _may(folder, os.W_OK | os.X_OK):
        raise InputError(f"The folder of dest cannot be written to: {folder}.")
    if mode is not None and not _may(path, os.R_OK):
        raise InputError(f"dest cannot be read, so nothing can be compared with it: {path}.")


def _may(path: Path, access: int) -> bool:
    """Return whether the account that this runs as may do so."""
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)


def _short(text: str) -> str:
    """Return a short name for a text of any length."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]
