# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a tenant over a connection that fails at every call: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import pytest
from integration.support.life import check_life, life
from integration.support.playbooks import Json, Playbooks

_CALLS = (
    ("GET", r"/tenants$"),
    ("POST", r"/tenants$"),
    ("GET", r"/tasks(\?|$)"),
    ("GET", r"/tasks/"),
    ("GET", r"/tenants/[^/]+$"),
    ("POST", r"/activate"),
    ("GET", r"/vms$"),
    ("POST", r"/vms/register"),
    ("POST", r"/reports/tenants"),
    ("GET", r"/reports/tenants/"),
    ("POST", r"/deactivate"),
    ("POST", r"/vms/unregister"),
    ("DELETE", r"/tenants/"),
)
_KINDS: dict[str, Json] = {
    "closed before anything was done": {"kind": "drop_before"},
    "closed after it was done": {"kind": "drop_after"},
    "torn answers": {"kind": "truncate"},
    "500": {"status": 500},
    "502 of a gateway": {"status": 502},
    "503 with a time to wait": {"status": 503, "headers": {"Retry-After": "0.2"}},
    "429 with a time to wait": {"status": 429, "headers": {"Retry-After": "0.2"}},
}
_CASES = [
    ("controller", tuple(_KINDS), 0),
    ("controller", ("closed after it was done", "torn answers", "502 of a gateway"), 1),
    ("module", ("closed after it was done", "closed before anything was done"), 0),
]


@pytest.mark.parametrize(("place", "kinds", "skip"), _CASES, ids=[f"{case[0]}-{case[2]}" for case in _CASES])
def test_a_life_in_which_every_call_fails_once(
    playbooks: Playbooks, place: str, kinds: tuple[str, ...], skip: int
) -> None:
    tasks: list[Json] = []
    for kind in kinds:
        rules = [{"method": method, "path": path, "skip": skip, **_KINDS[kind]} for method, path in _CALLS]
        tasks.append({"name": "break", "simulator": {"reset": True, "clear_faults": True, "faults": rules}})
        tasks.extend(life(kind))
    run = playbooks.run(tasks, place).succeeded()
    for kind in kinds:
        check_life(run, kind)
