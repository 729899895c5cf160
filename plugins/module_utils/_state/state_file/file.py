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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..._clock import Clock, Deadline
from ..._errors import InputError, KsvlaError
from ..._files import locked, replace_file

State = dict[str, dict[str, Any]]
_PARTS = ("infrastructures", "images", "addresses")
_LOCK_SECONDS = 60.0


def read_state(path: Path) -> State:
    """Return what the file holds, with every part; raise InputError when it is not such a file."""
    yaml = _yaml()
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        content = {}
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


def write_state(path: Path, state: State) -> None:
    """Replace the file, readable by its owner only; parts without content are left out."""
    kept = {part: content for part, content in state.items() if content}
    try:
        replace_file(path, _yaml().safe_dump(kept, allow_unicode=True, default_flow_style=False))
    except OSError as error:
        raise KsvlaError(f"{path} cannot be written: {error.strerror or error}.") from None


@contextmanager
def locked_folder(folder: Path, clock: Clock) -> Iterator[None]:
    """Let no other run on this machine change a file of the folder, and give up after a minute."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise InputError(f"The folder {folder} cannot be used: {error.strerror or error}.") from None
    busy = KsvlaError(f"Another run has been changing a file in {folder} for {_LOCK_SECONDS:g} s.")
    with locked(handle, Deadline(_LOCK_SECONDS, clock), clock, busy):
        yield


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise KsvlaError(
            "The Python library PyYAML is missing where the module runs.",
            hint="Run it where Ansible runs, which has it: delegate_to: localhost.",
        ) from None
    return yaml
