# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths among the options, as this process can open them."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from .._files import replace_file
from .arguments import Options

_PEM = re.compile(r"-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----", re.DOTALL)
_UTF8_PATHS = sys.getfilesystemencoding().lower().replace("-", "") == "utf8"


def certificates(text: str) -> str:
    return "".join(f"{block}\n" for block in _PEM.findall(text))


def with_local_paths(options: Options, parameters: Mapping[str, Any], folder: Callable[[], str]) -> dict[str, Any]:
    """Return the parameters with paths that this process can open.

    Certificates given as text in ``ca_path`` are written to a file: the libraries for TLS take only that everywhere.

    :param folder: Gives the folder for that file, which its owner removes.
    """
    local = dict(parameters)
    for name, option in options.items():
        if not _UTF8_PATHS and option.get("type") == "path" and isinstance(local.get(name), str):
            # Python opens it in this form where the locale knows ASCII only.
            local[name] = os.fsdecode(local[name].encode("utf-8", "surrogateescape"))
    pem = certificates(local.get("ca_path") or "")
    if pem:
        # A name that follows from them, so that kept connections are found again.
        name = f"ksvla-ca-{hashlib.sha256(pem.encode('utf-8')).hexdigest()[:20]}.pem"
        local["ca_path"] = os.path.join(folder(), name)
        if not os.path.exists(local["ca_path"]):
            replace_file(Path(local["ca_path"]), pem)
    return local


def restored(value: Any) -> Any:
    """Return a result with the paths as they were given."""
    if _UTF8_PATHS:
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {key: restored(item) for key, item in value.items()}
    return [restored(item) for item in value] if isinstance(value, list) else value
