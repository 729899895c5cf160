# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an infrastructure: its connection, its places, its machines."""

from __future__ import annotations

from ..._api import connect
from ..._errors import ApiError, unless_missing
from ..._module.context import Context, Parameters, Result
from .diagnosis import add_connection_hint, describe, label
from .objects import require_infrastructure
from .wanted import without_unused_account

_ABOUT_OBJECTS = ("object_types", "detail", "parent_id", "object_id")
_OUTPUT_TYPES = {"general": "GeneralInfo", "detailed": "DetailedInfo"}


def read_infrastructure(parameters: Parameters, context: Context) -> Result:
    """Return an infrastructure with its objects, or with one of them in full.

    An object that does not exist is null; an infrastructure that does not exist is a failure. Objects that cannot be read
    because the infrastructure is not connected are missed only where they were asked for.
    """
    api, _settings = connect.svm_management(parameters, context)
    infrastructure_id = parameters["infrastructure_id"]
    infrastructure = require_infrastructure(api, infrastructure_id)
    shown = infrastructure.as_dict()
    result: Result = {"changed": False, "infrastructure": shown, "locations": [], "vms": [], "object": None}
    try:
        if parameters.get("object_id") is not None:
            result["object"] = unless_missing(api.object, infrastructure_id, parameters["object_id"])
        else:
            found = api.objects(
                infrastructure_id,
                object_types=parameters.get("object_types") or (),
                output_type=_OUTPUT_TYPES.get(parameters.get("detail") or ""),
                parent_id=parameters.get("parent_id"),
            )
            result.update(locations=found.locations, vms=found.vms)
    except ApiError as error:
        used = without_unused_account(infrastructure)
        if used.connected or any(parameters.get(option) for option in _ABOUT_OBJECTS):
            error.add_details(infrastructure=shown)
            add_connection_hint(error, used)
            raise
        context.warn(
            f"Infrastructure {label(used)} is not connected ({describe(used)}), so its objects could not be read: "
            f"{error.message}"
        )
    return result
