# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths among the options, as the process can open them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from ansible_collections.ksvla.light_agent.plugins.module_utils._module import arguments
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import certificates, with_local_paths
from simulator.tls import Tls

_IN_ASCII = """
import json, sys
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import restored, with_local_paths
assert sys.getfilesystemencoding() == "ascii"
(path,) = with_local_paths({"dest": {"type": "path"}}, {"dest": json.loads(sys.argv[1])}, str).values()
with open(path, "w") as file:
    file.write("written")
print(json.dumps(restored({"dest": [path]})))
"""


def test_certificates_given_as_text_are_written_once_to_a_file(tls: Tls, tmp_path: Path) -> None:
    text = Path(tls.ca_path).read_text(encoding="utf-8")
    given = {"ca_path": f"Our authority:\n{text}", "host": "x"}
    first, second = (with_local_paths(arguments.connection(), given, lambda: str(tmp_path)) for _time in range(2))
    assert first == second
    (path,) = tmp_path.iterdir()
    assert first == {"ca_path": str(path), "host": "x"}
    assert path.read_text(encoding="utf-8") == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_path_stays_a_path() -> None:
    given = {"ca_path": "/etc/ca.pem"}
    assert with_local_paths(arguments.connection(), given, lambda: "/nowhere") == given


def test_a_private_key_is_not_a_certificate() -> None:
    assert certificates("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n") == ""


def test_a_path_that_is_not_ascii_works_where_the_locale_knows_ascii_only(tmp_path: Path) -> None:
    path = tmp_path / "Отчёт.csv"
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", _IN_ASCII, json.dumps(str(path))],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=60,
    )
    assert json.loads(done.stdout) == {"dest": [str(path)]}
    assert path.read_text(encoding="utf-8") == "written"
