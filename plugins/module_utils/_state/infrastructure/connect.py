# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding an infrastructure: test it where the API can, add it once, remember its id."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Infrastructure
from ..._errors import ApiError, OutcomeUnknown
from ..._module.context import Parameters
from ..._tasks.journal import TaskJournal
from ..._tasks.turns import Turns
from .diagnosis import require_connected
from .find import find_infrastructure, is_same, subject
from .platforms import is_openstack
from .read_only_account import without_unused_account


def add_infrastructure(
    api: SvmManagementApi, memory: TaskJournal, turns: Turns, parameters: Parameters, read_at: float
) -> Infrastructure:
    """Test the connection where the API can, add the infrastructure, and return it as the server answers.

    :param read_at: When it was read that it is not there, in seconds since the epoch.
    :raises KsvlaError: naming each microservice that the test could not reach; nothing was added then.
    :raises OutcomeUnknown: when the answer was lost and it cannot be seen whether it was added.
    """
    wanted = connection_body(parameters)
    if is_openstack(parameters["type"]) and parameters["test_connection"]:
        tested = without_unused_account(api.test_connection(wanted), parameters)
        tested = replace(
            tested,
            type=tested.type or parameters["type"],
            address=tested.address or parameters["address"],
            admin_username=parameters.get("admin_username"),
            readonly_username=parameters.get("readonly_username"),
        )
        require_connected(api, tested, tested=True, note=" Nothing was added.")
    with turns.take(subject(parameters), read_at) as others:
        if others:
            memory.reread()
            found = find_infrastructure(api, memory, parameters)
            if found is not None:
                return found
        added = _add(api, wanted, parameters)
        memory.remember(added.id, subject(parameters))
    return added


def _add(api: SvmManagementApi, wanted: dict[str, Any], parameters: Parameters) -> Infrastructure:
    try:
        return api.connect(wanted)
    except OutcomeUnknown as error:
        listed = api.infrastructures()
        same = [one for one in listed or [] if is_same(one, parameters)]
        if not same:
            error.hint = (
                "Whether the infrastructure was added is unknown. Look in the Integration Server's console: if it is "
                "there, repeat with its infrastructure_id; if not, repeat as it is."
                if listed is None
                else "The server's list of infrastructures does not show it, so that it was not added: run this again. "
                "If it appears in the Integration Server's console all the same, repeat with its infrastructure_id."
            )
            raise
        return same[0]
    except ApiError as error:
        if error.status == 409:
            error.hint = (
                "It is connected already: give its infrastructure_id, as it was returned when it was connected."
            )
        raise


def connection_body(parameters: Parameters) -> dict[str, Any]:
    """Return the body that connects an infrastructure, as the pages show it; what was not given is left out."""
    body: dict[str, Any] = {"type": parameters["type"], "address": parameters["address"]}
    openstack = is_openstack(parameters["type"])
    if openstack:
        settings = {"protocol": parameters.get("protocol"), "region": parameters.get("region")}
        body["specificSettings"] = {key: value for key, value in settings.items() if value}
    accounts = {"admin": _account(parameters, "admin", openstack=openstack)}
    if parameters.get("readonly_username"):
        accounts["readOnly"] = _account(parameters, "readonly", openstack=openstack)
    body["accounts"] = accounts
    return body


def _account(parameters: Parameters, account: str, *, openstack: bool) -> dict[str, str]:
    fields: dict[str, str] = {}
    if openstack and parameters.get(f"{account}_domain"):
        fields["domain"] = parameters[f"{account}_domain"]
    fields["name"] = parameters[f"{account}_username"]
    fields["password"] = base64.b64encode(parameters[f"{account}_password"].encode("utf-8")).decode("ascii")
    return fields
