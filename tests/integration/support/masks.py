# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes results comparable: ids are numbered in the order in which they appear, and dates, paths and ports hidden."""

from __future__ import annotations

import re
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?")
_VOLATILE = frozenset({"progress", "stage", "gid", "uid", "atime", "mtime", "ctime", "inode"})
_MADE_BY_SERVER = frozenset({"id", "created", "updated", "virtual_server_id"})


class Mask:
    """Hides what differs from run to run.

    :param hidden: Texts, such as ports and folders, with what stands for them.
    """

    def __init__(self, hidden: dict[str, str]) -> None:
        self._hidden = sorted(hidden.items(), key=lambda item: -len(item[0]))
        self._ids: dict[str, str] = {}

    def __call__(self, value: Any) -> Any:
        """Return the value masked, with keys in order."""
        if isinstance(value, dict):
            return {
                self(key): "volatile" if key in _VOLATILE else self(item)
                for key, item in sorted(value.items())
                if not key.startswith("_ansible")
            }
        if isinstance(value, list):
            return [self(item) for item in value]
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int) and not isinstance(value, bool) and str(value) in dict(self._hidden):
            return dict(self._hidden)[str(value)]
        return value

    def _text(self, text: str) -> str:
        for hidden, name in self._hidden:
            text = text.replace(hidden, name)
        text = _UUID.sub(lambda match: self._ids.setdefault(match.group().lower(), f"id-{len(self._ids)}"), text)
        return _DATE.sub("DATE", text)


def user_part(value: Any) -> Any:
    """Return a result without what only the server can know: ids and dates of records."""
    if isinstance(value, dict):
        return {key: user_part(item) for key, item in value.items() if key not in _MADE_BY_SERVER}
    if isinstance(value, list):
        return [user_part(item) for item in value]
    return value
