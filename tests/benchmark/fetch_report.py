# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetches a made-up report from a small server in this process's child and prints its size and the peak memory.

Memory is that of this process alone, in KiB, as the operating system counts it.
"""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report.download import ReportDownload
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant_report.periods import ReportReader

_PIECE = 256 * 1024


def write_report(path: Path, lines: int) -> None:
    """Write a report of 1000 virtual machines, in the order of time."""
    tenant = "6f7c2f0e-4a53-4f5c-9c7b-0d7d3f1d9a11"
    with path.open("w", encoding="utf-8") as file:
        for number in range(lines):
            day, vm = divmod(number, 1000)
            date = f"20{26 + day // 336:02d}-{day // 28 % 12 + 1:02d}-{day % 28 + 1:02d}"
            vm_id = f"00000000-0000-0000-0000-{vm:012d}"
            file.write(f"{tenant};Northwind;{vm_id};vm-{vm};{date}T08:00:00;{date}T20:00:00\n")


class FileServer:
    """Answers for ranges of a file as the API does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._total = path.stat().st_size

    @contextmanager
    def report(
        self, _report_id: str, first: int = 0, last: int | None = None
    ) -> Iterator[tuple[int, Mapping[str, str], Iterator[bytes]]]:
        """Give the bytes from first to last."""
        end = min(self._total - 1, self._total if last is None else last)
        with self._path.open("rb") as file:
            file.seek(first)
            yield 206, {"content-range": f"bytes {first}-{end}/{self._total}"}, self._pieces(file, end + 1 - first)

    @staticmethod
    def _pieces(file: Any, left: int) -> Iterator[bytes]:
        while left > 0:
            piece = file.read(min(_PIECE, left))
            left -= len(piece)
            yield piece


def main() -> None:
    """Write a report, fetch it, and print its size and the peak memory."""
    folder, lines = Path(sys.argv[1]), int(sys.argv[2])
    source = folder / "source.csv"
    writer = multiprocessing.Process(target=write_report, args=(source, lines))
    writer.start()
    writer.join()
    reader = ReportReader(keep_periods=False)
    download = ReportDownload(FileServer(source), "report", folder / "part", reader.feed, 0, lambda _size, _of: None)  # type: ignore[arg-type]
    done = download.run()
    reader.finish()
    if sum(entry["periods"] for entry in reader.summary()) != lines:
        raise SystemExit("lines were lost")
    print(done.size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
