# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer 404 without a body: the call tells what was not found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from unit.support import Reply, WebServer

from ansible_collections.ksvla.light_agent.plugins.module_utils._api._multitenancy import (
    TENANT_NOT_FOUND,
    VM_NOT_FOUND,
    MultitenancyApi,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import ApiError
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport._session import Session

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
