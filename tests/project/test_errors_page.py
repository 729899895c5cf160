# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Holds the tables of docs/errors.md equal to what the modules say."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.records import (
    Certificate,
    Connection,
    Infrastructure,
    Service,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._hints import BY_CODE, hint_for
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.diagnosis import explained
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.infrastructure.platforms import ONLY_PRIMARY
from simulator.svm_management.connection import ERRORS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"


def _table(heading: str) -> dict[str, str]:
    """The first and the last column of the table below a heading."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in section.splitlines() if line[:1] == "|"]
    return {row[0].strip("| "): row[-1].strip("| ") for row in rows[2:]}


def test_the_codes_of_the_server() -> None:
    assert _table("Codes of the Integration Server") == {f"`{code}`": hint_for(code) for code in BY_CODE}


def test_the_statuses() -> None:
    table = _table("Answers without a code")
    assert table.pop("404 of every call of API 2.0") == hint_for(None, 404, "GET /api/2.0/virtualization/tenants")
    other = table.pop("other statuses from 500 on")
    hints = {status: hint_for(None, status) for status in range(400, 600)}
    assert table == {str(status): hint for status, hint in hints.items() if hint not in (None, other)}


class _Api:
    """Presents one certificate at every address."""

    def __init__(self, *, accepted: bool) -> None:
        self._accepted = accepted

    def within(self, _deadline: Deadline) -> _Api:
        return self

    def certificate(self, address: str, _kind: str) -> Certificate:
        return Certificate(address, "*thumbprint*", None, self._accepted, [], [])


def _advice(code: str, platform: str = "VMWARE", *, accepted: bool = False, **more: str) -> str:
    """What is advised when the admin account is not connected for this reason, or a microservice is not."""
    failed = Connection("DISCONNECTED", code, None, **more)  # type: ignore[arg-type]
    if platform == "OPENSTACK":
        service = Service("DISCONNECTED", code, "*microservice*", address="*address*:*port*")
        failed = Connection("CONNECTED", "NO_ERROR", None, services=[service])
    shown = Infrastructure("*id*", platform, "*address*", admin_username="*name*", connection={"admin": failed})
    why = explained(_Api(accepted=accepted), shown)  # type: ignore[arg-type]
    assert why.error_code == code
    assert why.hint
    return why.hint


def test_the_connection_errors() -> None:
    expected = {f"`{code}`": _advice(code) for code in ERRORS}
    accepted = _advice("INVALID_CERTIFICATE", accepted=True)
    expected["`INVALID_CERTIFICATE` of what the Integration Server calls accepted"] = accepted
    for platform in ONLY_PRIMARY:
        primary = _advice("NETWORK_ERROR", platform)
        expected["`NETWORK_ERROR` of XenServer or Numa vServer"] = primary
        secondary = _advice("NETWORK_ERROR", platform, primary_server_address="*primary*")
        expected["`NETWORK_ERROR` of a secondary XenServer or Numa vServer"] = secondary
    for code in ERRORS:
        expected[f"`{code}` of a microservice"] = _advice(code, "OPENSTACK")
    assert _table("Connection errors of API 3.0") == expected


def test_the_guide_of_infrastructures_has_the_same_codes() -> None:
    text = (PAGE.parent / "infrastructures.md").read_text(encoding="utf-8")
    section = text.split("## When it does not connect\n", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.MULTILINE)) == set(ERRORS)
