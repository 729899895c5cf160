# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that a report goes to: checked before anything is sent, written aside, moved into place when it is new."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

from ..._errors import InputError, KsvlaError
from ..._module.context import FileAttributes, Parameters
from ..._tasks.journal import digest

_PART = ".part"
_PIECE = 1024 * 1024
_REPORT_SECONDS = 24 * 3600
"""How long the server keeps a report; a part of an older one cannot be completed any more."""
_NOT_MOVED = frozenset({errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.ETXTBSY})
"""What moving a file into the place of another fails with where writing into that one may go well, as it is mounted or
the folder keeps what belongs to somebody else."""


def report_file(dest: Optional[str]) -> Optional[ReportFile]:
    """Return the file that a report goes to, or None where it goes to no file.

    :raises InputError: when it could not be put there.
    """
    if not dest:
        return None
    try:
        path = Path(os.path.abspath(dest))
        _check(path)
    except (OSError, ValueError) as error:
        raise InputError(f"dest cannot be used: {dest}: {getattr(error, 'strerror', None) or error}.") from None
    return ReportFile(path)


class ReportFile:
    """The file that a report goes to, which may be there already."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part_start = f".ksvla-{digest(path.name)[:12]}-"

    def part(self, report_id: str) -> Path:
        """Return where a report is written aside; the name is short, however long those of the file and the report are.

        What is left of other reports for the same file, given up and dropped by the server meanwhile, is removed.
        """
        part = self.path.with_name(f"{self._part_start}{digest(report_id)[:12]}{_PART}")
        oldest = time.time() - _REPORT_SECONDS
        with contextlib.suppress(OSError):
            for path in self.path.parent.iterdir():
                if path.name.startswith(self._part_start) and path.name.endswith(_PART) and path != part:
                    with contextlib.suppress(OSError):
                        if path.stat().st_mtime < oldest:
                            path.unlink()
        return part

    def facts(self) -> dict[str, Any]:
        """Return size and SHA-256 of what is there, or nothing when nothing is there."""
        checksum = hashlib.sha256()
        size = 0
        try:
            with self.path.open("rb") as file:
                while piece := file.read(_PIECE):
                    checksum.update(piece)
                    size += len(piece)
        except FileNotFoundError:
            return {}
        return {"size_bytes": size, "checksum_sha256": checksum.hexdigest()}

    def place(
        self, part: Optional[Path], differs: bool, checksum: str, parameters: Parameters, files: FileAttributes
    ) -> bool:
        """Move the report into place when it differs, set its attributes, and return whether anything changed.

        :param part: Where it was written aside; None in check mode, where nothing is moved.
        """
        if part is not None:
            if differs:
                self._move(part, checksum, parameters)
            else:
                part.unlink(missing_ok=True)
        return files.apply(str(self.path), parameters, changed=differs)

    @contextmanager
    def named_errors(self, report_id: str) -> Iterator[None]:
        """Turn errors of the file system into failures that name the file and say how to go on."""
        try:
            yield
        except OSError as error:
            remedy = "Make room or let it be written there, or give another dest"
            if error.errno == errno.EBUSY:
                remedy = "Give another dest, or unsafe_writes: true where a single file is mounted into a container"
            raise KsvlaError(
                f"The report cannot be written to {self.path}: {error.strerror or error}.",
                details={"report_id": report_id},
                hint=f"{remedy}, and run this again with report_id: {report_id}.",
            ) from None

    def _move(self, part: Path, checksum: str, parameters: Parameters) -> None:
        try:
            self._take_over(part, parameters.get("mode"))
            os.replace(part, self.path)
        except FileNotFoundError:
            # Another run that fetched the same report may have moved it just now.
            if self.facts().get("checksum_sha256") != checksum:
                raise
        except OSError as error:
            if parameters.get("unsafe_writes") and error.errno in _NOT_MOVED:
                self._write_into(part)
                return
            with contextlib.suppress(OSError):
                os.chmod(part, 0o600)
            raise

    def _take_over(self, part: Path, mode: Any) -> None:
        """Give the new file owner and permissions of the one that it replaces, unless the user wants others."""
        try:
            there = os.stat(self.path)
        except FileNotFoundError:
            return
        with contextlib.suppress(PermissionError):
            os.chown(part, there.st_uid, there.st_gid)
        if mode is None or not str(mode).isdigit():
            # Letters, such as g+r, are understood from the permissions that were there.
            os.chmod(part, stat.S_IMODE(there.st_mode))

    def _write_into(self, part: Path) -> None:
        """Write the report into the file that is there, as only unsafe_writes allows: a reader may see half of it."""
        with part.open("rb") as source, self.path.open("wb") as target:
            shutil.copyfileobj(source, target, _PIECE)
        part.unlink()


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
        raise InputError(f"dest is no ordinary file: {path}.")
    if not _may(folder, os.W_OK | os.X_OK):
        raise InputError(f"The folder of dest cannot be written to: {folder}.")
    if mode is not None and not _may(path, os.R_OK):
        raise InputError(f"dest cannot be read, so that nothing can be compared with it: {path}.")


def _may(path: Path, access: int) -> bool:
    """Return whether the account that this runs as may do so."""
    return os.access(path, access, effective_ids=os.access in os.supports_effective_ids)
