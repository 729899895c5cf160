# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module returns."""

from __future__ import annotations

from typing import Any, Optional

from ..._module.context import Result
from .download import Downloaded
from .file import ReportFile
from .generate import Generation


def no_report(file: Optional[ReportFile]) -> Result:
    """Return what is known of a report that is not there yet."""
    return {
        "changed": file is not None,
        "report_id": None,
        "dest": str(file.path) if file is not None else None,
        "size_bytes": None,
        "checksum_sha256": None,
        "summary": [],
        "tasks": [],
        "remaining": [],
    }


def not_fetched(file: Optional[ReportFile], generation: Optional[Generation]) -> Result:
    """Return the result of a run that does not wait. In check mode there is no generation where one would be started."""
    return {
        **no_report(file),
        "changed": generation is None or not generation.attached,
        "report_id": generation.report_id if generation else None,
        "tasks": [generation.task.as_dict()] if generation else [],
        "remaining": ["fetch"],
    }


def facts_of(report: Optional[Downloaded]) -> dict[str, Any]:
    """Return what is returned of a report itself; an empty mapping for none."""
    return {"size_bytes": report.size, "checksum_sha256": report.checksum} if report is not None else {}


def readable(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
