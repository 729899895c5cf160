# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls of API 2.0: what an answer means that says nothing but its status, what a removal says, and which tasks are listed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from support.web import Reply, WebServer

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import (
    TENANT_NOT_FOUND,
    VM_ALREADY_EXISTS,
    VM_NOT_FOUND,
    MultitenancyApi,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session

BIOS_ID = "00000000-0000-4000-8000-00000000abcd"


@pytest.mark.parametrize(
    ("call", "error_code"),
    [
        (lambda api: api.tenant("t"), TENANT_NOT_FOUND),
        (lambda api: api.vms("t"), TENANT_NOT_FOUND),
        (lambda api: api.register_vm("t", BIOS_ID, None, None), TENANT_NOT_FOUND),
        (lambda api: api.generate_report("t", None, None), TENANT_NOT_FOUND),
        (lambda api: api.unregister_vm("t", BIOS_ID), VM_NOT_FOUND),
        (lambda api: api.task("t"), None),
        (lambda api: api.tenants(), None),
    ],
)
def test_a_404_without_a_body_has_the_code_that_the_call_knows_for_it(
    call: Callable[[MultitenancyApi], object],
    error_code: str | None,
    server: WebServer,
    connect: Callable[..., Session],
) -> None:
    server.replies = [Reply(404)]
    with pytest.raises(ApiError) as raised:
        call(MultitenancyApi(connect()))
    assert (raised.value.status, raised.value.error_code) == (404, error_code)
    assert "host and port" in str(raised.value.hint)


@pytest.mark.parametrize("remove_artifacts", [True, False])
def test_a_removal_always_says_what_becomes_of_the_artifacts(
    remove_artifacts: bool, server: WebServer, connect: Callable[..., Session]
) -> None:
    server.replies = [Reply(202, b'<task id="t-1"/>')]
    MultitenancyApi(connect()).remove_tenant("t", remove_artifacts=remove_artifacts)
    assert server.received[0].target.endswith(f"/tenants/t?removeTenantArtifacts={str(remove_artifacts).lower()}")


def test_a_conflict_without_a_body_has_the_code_that_the_call_knows_for_it(
    server: WebServer, connect: Callable[..., Session]
) -> None:
    api = MultitenancyApi(connect())
    server.replies = [Reply(409), Reply(409), Reply(405)]
    with pytest.raises(ApiError) as raised:
        api.register_vm("t", BIOS_ID, None, None)
    assert raised.value.error_code == VM_ALREADY_EXISTS
    assert "registered only once" in str(raised.value.hint)
    with pytest.raises(ApiError) as raised:
        api.cancel_task("t")
    assert raised.value.hint == "The task has already ended."
    with pytest.raises(ApiError) as raised:
        api.activate_tenant("t")
    assert raised.value.hint is None


@pytest.mark.parametrize(
    ("date", "query"),
    [
        ("Sun, 01 Mar 2026 10:15:00 GMT", "?createdFrom=2026-02-27T10:15:00&type=CreateTenant"),
        ("yesterday", "?type=CreateTenant"),
        ("", "?type=CreateTenant"),
        (None, "?type=CreateTenant"),
    ],
)
def test_recent_tasks_are_recent_by_the_clock_of_the_server(
    date: str | None, query: str, server: WebServer, connect: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.date_time_string", lambda _self: date)
    server.replies = [Reply(200, b"<tenants/>"), Reply(200, b"<tasks/>")]
    api = MultitenancyApi(connect())
    if date is not None:
        api.within(Deadline(5)).tenants()
    assert api.recent_tasks("CreateTenant", timedelta(days=2)) == []
    assert server.received[-1].target == f"/api/2.0/virtualization/tasks{query}"
