# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading an infrastructure: its connection, its places, its machines."""

from __future__ import annotations

from .._api import _connect
from .._context import Context, Parameters, Result
from .._errors import ApiError
from .._validation import require_text
from ._svm_places import Places

_OUTPUT_TYPES = {"general": "GeneralInfo", "detailed": "DetailedInfo"}


def read_infrastructure(parameters: Parameters, context: Context) -> Result:
    """Return an infrastructure with its objects, or with one of them in full.

    An object that does not exist is null; an infrastructure that does not exist is a failure.
    """
    for option in ("infrastructure_id", "parent_id", "object_id"):
        require_text(parameters.get(option), option)
    api, _settings = _connect.svm_management(parameters, context)
    infrastructure_id = parameters["infrastructure_id"]
    result: Result = {
        "changed": False,
        "infrastructure": Places(api).infrastructure(infrastructure_id).as_dict(),
        "locations": [],
        "vms": [],
        "object": None,
    }
    if parameters.get("object_id") is not None:
        try:
            result["object"] = api.object(infrastructure_id, parameters["object_id"])
        except ApiError as error:
            if not error.not_found:
                raise
        return result
    found = api.objects(
        infrastructure_id,
        object_types=parameters.get("object_types") or (),
        output_type=_OUTPUT_TYPES.get(parameters.get("detail") or ""),
        parent_id=parameters.get("parent_id"),
    )
    result.update(locations=found.locations, vms=found.vms)
    return result
