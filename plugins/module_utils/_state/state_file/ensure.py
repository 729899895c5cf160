# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of the file of ids and addresses: read, change, write."""

from __future__ import annotations

import os
from pathlib import Path

from ..._errors import InputError
from ..._module.context import Context, Parameters, Result
from ..change import diff_of
from .file import State, locked_folder, read_state, write_state
from .pool import read_given, read_pool, with_addresses


def ensure_state_file(parameters: Parameters, context: Context) -> Result:
    """Keep ids and addresses in the file, and return what it holds."""
    if parameters.get("infrastructure_id") is not None and parameters["disconnected"]:
        raise InputError("infrastructure_id and disconnected cannot be given together.")
    # The file itself where the path is a link, so that the link stays.
    path = Path(os.path.realpath(os.path.expanduser(parameters["path"])))
    before = read_state(path)
    after = _changed(before, parameters)
    if after != before and not context.check_mode:
        with locked_folder(path.parent, context.clock):
            before = read_state(path)
            after = _changed(before, parameters)
            write_state(path, after)
    # Not "state": Ansible replaces that of a result with a path by the one of the file.
    result: Result = {"changed": after != before, "path": str(path), "kept": after}
    if context.diff:
        result["diff"] = diff_of(str(path), before, after)
    return result


def _changed(state: State, parameters: Parameters) -> State:
    """Return the state with what is wanted; what was not given stays as it is."""
    after = {part: dict(content) for part, content in state.items()}
    infrastructure, addresses = parameters.get("infrastructure"), after["addresses"]
    # Checked even where no SVM needs an address yet.
    pool, given = read_pool(parameters.get("address_pool") or []), read_given(parameters.get("addresses") or {})
    if infrastructure is not None:
        # One that is known to be disconnected has an empty id.
        if parameters.get("infrastructure_id") is not None or parameters["disconnected"]:
            after["infrastructures"][infrastructure] = parameters.get("infrastructure_id") or ""
        if parameters.get("svms"):
            addresses[infrastructure] = with_addresses(addresses, infrastructure, parameters["svms"], pool, given)
        if infrastructure in addresses:
            free = parameters.get("free") or ()
            addresses[infrastructure] = {svm: one for svm, one in addresses[infrastructure].items() if svm not in free}
    if parameters.get("image_id") is not None:
        after["images"][parameters["image"]] = parameters["image_id"]
    return after
