# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which the SVM roles keep, for the user, what the server does not say: ids, and which SVM has which address.

A YAML mapping with ``infrastructures`` (ids by name), ``images`` (ids by manifest and platforms) and ``addresses`` (by the
name of the infrastructure, addresses by the name of the SVM). Several runs may share one file: each change reads it again
and writes it while no other run does.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..._clock import Deadline
from ..._errors import InputError, KsvlaError
from ..._files import locked, replace_file
from ..._module.context import Context, Parameters, Result
from ..change import diff_of
from .pool import read_given, read_pool, with_addresses

State = dict[str, dict[str, Any]]
_PARTS = ("infrastructures", "images", "addresses")
_LOCK_SECONDS = 60.0


def ensure_state_file(parameters: Parameters, context: Context) -> Result:
    """Keep ids and addresses in the file, and return what it holds."""
    if parameters.get("infrastructure_id") is not None and parameters["disconnected"]:
        raise InputError("infrastructure_id and disconnected cannot be given together.")
    # The file itself where the path is a link, so that the link stays.
    path = Path(os.path.realpath(os.path.expanduser(parameters["path"])))
    before = read_state(path)
    after = _changed(before, parameters)
    if after != before and not context.check_mode:
        before, after = _replace(path, parameters, context)
    # Not "state": Ansible replaces that of a result with a path by the one of the file.
    result: Result = {"changed": after != before, "path": str(path), "kept": after}
    if context.diff:
        result["diff"] = diff_of(str(path), before, after)
    return result


def read_state(path: Path) -> State:
    """Return what the file holds, with every part; raise InputError when it is not such a file."""
    yaml = _yaml()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not path.parent.is_dir():  # Also in check mode, and before the first run has anything to keep.
            raise InputError(f"The folder {path.parent} does not exist. Create it, or correct path.") from None
        content = None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (yaml.YAMLError, ValueError):
        raise InputError(f"{path} is not a YAML file, so it cannot be the one that keeps the ids of SVMs.") from None
    content = {} if content is None else content
    if isinstance(content, dict) and all(isinstance(part, dict) for part in content.values()):
        state = {**{part: {} for part in _PARTS}, **content}
        if all(isinstance(addresses, dict) for addresses in state["addresses"].values()):
            return state
    raise InputError(f"{path} is not a file in which the SVM roles keep ids. Give another path.")


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


def _replace(path: Path, parameters: Parameters, context: Context) -> tuple[State, State]:
    """Change the file, which its owner alone can read, while no other run on this machine does; return both states."""
    try:
        handle = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"The folder {path.parent} cannot be used: {error.strerror or error}.") from None
    busy = KsvlaError(f"Another run has been changing a file in {path.parent} for {_LOCK_SECONDS:g} s.")
    with locked(handle, Deadline(_LOCK_SECONDS, context.clock), context.clock, busy):
        before = read_state(path)
        after = _changed(before, parameters)
        kept = {part: content for part, content in after.items() if content}
        try:
            replace_file(path, _yaml().safe_dump(kept, allow_unicode=True, default_flow_style=False))
        except OSError as error:
            raise KsvlaError(f"{path} cannot be written: {error.strerror or error}.") from None
    return before, after


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise KsvlaError(
            "The Python library PyYAML is missing where the module runs.",
            hint="Run it where Ansible runs, which has it: delegate_to: localhost.",
        ) from None
    return yaml
