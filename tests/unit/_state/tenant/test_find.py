# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding a tenant: one that has gone, and names that are similar."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.web import Reply, WebServer

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import (
    TENANT_NOT_FOUND,
    MultitenancyApi,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.tenant.find import (
    TenantReference,
    find_tenant,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session


def test_a_tenant_is_gone_only_where_there_are_tenants(server: WebServer, connect: Callable[..., Session]) -> None:
    api = MultitenancyApi(connect())
    server.replies = [Reply(404), Reply(200, b"<tenants/>")]
    assert find_tenant(api, TenantReference("t")) is None
    server.replies = [Reply(404), Reply(404)]
    with pytest.raises(ApiError) as raised:
        find_tenant(api, TenantReference("t"))
    assert "host and port" in str(raised.value.hint)
    server.replies = [Reply(404, f"<error>{TENANT_NOT_FOUND}</error>".encode())]
    server.received.clear()
    assert find_tenant(api, TenantReference("t")) is None
    assert len(server.received) == 1
