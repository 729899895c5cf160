# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which the SVM roles keep what the server does not tell: ids, and which SVM has which address.

A mapping with ``infrastructures`` (ids by name), ``images`` (ids by manifest and platforms) and ``addresses`` (by the name
of the infrastructure, addresses by the name of the SVM). Several runs may share one file: each change reads it anew and
writes it while nobody else does.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

State = dict[str, Any]


class SvmStateError(ValueError):
    """The file, or what is wanted of it, cannot be right; the text says what and where."""


def read_state(path: Path) -> State:
    """Return what the file holds; nothing where there is none.

    :raises SvmStateError: when it cannot be read, or is no such file.
    """
    try:
        with path.open(encoding="utf-8") as stream:
            content = yaml.safe_load(stream)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SvmStateError(f"{path} cannot be read: {error.strerror or error}.") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SvmStateError(f"{path} is no YAML file, so that it cannot be the one that keeps the SVMs' ids.") from None
    content = {} if content is None else content
    parts = content.values() if isinstance(content, dict) else [content]
    if not all(isinstance(part, dict) for part in parts):
        raise SvmStateError(
            f"{path} is not a file in which the SVM roles keep ids: give another svm_rollout_state_file."
        )
    state: State = content
    return state


def change_state(path: Path, change: Callable[[State], State], *, write: bool = True) -> State:
    """Let a function turn what the file holds into what it shall hold, keep that, and return it.

    :param write: False to return it only.
    :raises SvmStateError: from the function or about the file, which stays as it was.
    """
    if not write:
        return change(read_state(path))
    try:
        with _alone(path.parent):
            before = read_state(path)
            after = change(before)
            if after != before:
                _replace(path, yaml.safe_dump(after, allow_unicode=True, default_flow_style=False))
    except OSError as error:
        raise SvmStateError(f"{path} cannot be written: {error.strerror or error}.") from None
    return after


def with_entry(state: State, part: str, name: str, value: str) -> State:
    """Return the state with one id in one of its parts."""
    return {**state, part: {**state.get(part, {}), name: value}}


def with_addresses(
    state: State, infrastructure: str, svms: Sequence[str], pool: Sequence[str], given: Mapping[str, str]
) -> State:
    """Return the state with an address for each SVM of an infrastructure: the given one, the one it has, or a free one.

    Where there are not enough of them, the state stays as it is.

    :param pool: Addresses, taken in this order; what any infrastructure of the state has is not free.
    """
    everywhere: dict[str, dict[str, str]] = state.get("addresses", {})
    own = {**everywhere.get(infrastructure, {}), **given}
    others = (kept for name, kept in everywhere.items() if name != infrastructure)
    used = {*own.values(), *(address for kept in others for address in kept.values())}
    free = [address for address in dict.fromkeys(pool) if address not in used]
    lacking = [name for name in svms if name not in own]
    if len(lacking) > len(free):
        return state
    own.update(zip(lacking, free, strict=False))
    return {**state, "addresses": {**everywhere, infrastructure: own}}


def without_addresses(state: State, infrastructure: str, svms: Sequence[str]) -> State:
    """Return the state without the addresses of those SVMs, which are free again."""
    everywhere: dict[str, dict[str, str]] = state.get("addresses", {})
    if infrastructure not in everywhere:
        return state
    own = {name: address for name, address in everywhere[infrastructure].items() if name not in svms}
    return {**state, "addresses": {**everywhere, infrastructure: own}}


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other run changes a file of the folder. A file system without such locks is no reason to fail."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _replace(path: Path, text: str) -> None:
    """Write the file aside, readable by its owner only, and move it into place."""
    handle, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise
