# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of the file of ids and addresses: read, change, write."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Optional

from ..._errors import InputError
from ..._module.context import Context, Parameters, Result
from ..change import diff_of
from .file import State, locked_folder, read_state, write_state
from .pool import AddressRequest, read_given, read_pool, with_addresses


@dataclass(frozen=True)
class WantedState:
    """What is to be kept, or kept no longer; what was not given stays as it is.

    :param disconnected: The infrastructure is known to be disconnected, which is kept as an empty id.
    :param free: Names of SVMs whose addresses are free again.
    """

    path: Path
    infrastructure: Optional[str] = None
    infrastructure_id: Optional[str] = None
    disconnected: bool = False
    image: Optional[str] = None
    image_id: Optional[str] = None
    addresses: Optional[AddressRequest] = None
    free: frozenset[str] = field(default_factory=frozenset)


def ensure_state_file(parameters: Parameters, context: Context) -> Result:
    """Keep ids and addresses in the file, and return what it holds."""
    wanted = _wanted(parameters)
    if context.check_mode or wanted == WantedState(wanted.path):
        before = read_state(wanted.path)
        after = changed_state(before, wanted)
    else:
        with locked_folder(wanted.path.parent, context.clock):
            before = read_state(wanted.path)
            after = changed_state(before, wanted)
            if after != before:
                write_state(wanted.path, after)
    # Not "state": Ansible replaces that of a result with a path by the one of the file.
    result: Result = {"changed": after != before, "path": str(wanted.path), "kept": after}
    if context.diff:
        result["diff"] = diff_of(str(wanted.path), before, after)
    return result


def changed_state(state: State, wanted: WantedState) -> State:
    """Return the state with what is wanted.

    :raises KsvlaError: when there are not enough addresses; then nothing changes.
    """
    after = copy.deepcopy(state)
    if wanted.infrastructure is not None and (wanted.infrastructure_id is not None or wanted.disconnected):
        after["infrastructures"][wanted.infrastructure] = wanted.infrastructure_id or ""
    if wanted.image is not None and wanted.image_id is not None:
        after["images"][wanted.image] = wanted.image_id
    if wanted.addresses is not None:
        after["addresses"] = with_addresses(after["addresses"], wanted.addresses)
    if wanted.free and wanted.infrastructure in after["addresses"]:
        own = after["addresses"][wanted.infrastructure]
        after["addresses"][wanted.infrastructure] = {n: a for n, a in own.items() if n not in wanted.free}
    return after


def _wanted(parameters: Parameters) -> WantedState:
    infrastructure, svms = parameters.get("infrastructure"), parameters.get("svms") or []
    if parameters.get("infrastructure_id") is not None and parameters["disconnected"]:
        raise InputError("infrastructure_id and disconnected exclude each other.")
    # Checked even where no SVM needs an address yet.
    pool, given = read_pool(parameters.get("address_pool") or []), read_given(parameters.get("addresses") or {})
    addresses = AddressRequest(infrastructure or "", svms, pool, given) if svms else None
    return WantedState(
        # The file itself where the path is a link, so that the link stays.
        path=Path(os.path.realpath(os.path.expanduser(parameters["path"]))),
        infrastructure=infrastructure,
        infrastructure_id=parameters.get("infrastructure_id"),
        disconnected=parameters["disconnected"],
        image=parameters.get("image"),
        image_id=parameters.get("image_id"),
        addresses=addresses,
        free=frozenset(parameters.get("free") or []),
    )
