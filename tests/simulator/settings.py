# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything about the simulator that can be switched while it runs.

Settings live in dataclasses ("groups"); `SettingsSpace` joins the groups of both APIs into one flat set of names for the
command line (``--set name=value``) and the control interface (``PATCH /settings``).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

RANDOM = "random"
_LOCAL_KINDS: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str, "dict[str, str]": dict}


class SettingError(ValueError):
    """A setting that does not exist, or a value that it cannot have."""


def option(default: Any, about: str, *choices: str, minimum: float | None = None) -> Any:
    """A dataclass field that is a setting: its default, what it is about, and the words or numbers it may have.

    The default None stands for an empty mapping.
    """
    # pylint: disable=invalid-field-call
    metadata = {"about": about, "choices": choices, "minimum": minimum}
    if default is None:
        return dataclasses.field(default_factory=dict, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


_DRESSINGS = ("plain", "no_declaration", "bom", "default_namespace", "prefixed_namespace")


@dataclass
class Settings:
    """The settings of the base and of API 2.0. A shape set to ``random`` is drawn for each answer."""

    task_seconds: float = option(
        2.0, "seconds that one asynchronous task takes; 0: the next look sees its end", minimum=0
    )
    cancel_style: str = option("at_once", "what cancelling a running task does", "at_once", "stopping")
    clock_offset: float = option(0.0, "seconds by which the server's clock is ahead")
    fault_share: float = option(0.0, "share of requests that a fault of the connection is drawn for, 0 to 1", minimum=0)
    task_fault_share: float = option(0.0, "share of tasks and steps that fail by chance, 0 to 1", minimum=0)
    fault_seed: int = option(0, "seed of the faults that are drawn")
    tenant_list_delay_seconds: float = option(0.0, "seconds until the list shows a tenant that was created", minimum=0)
    journal_limit: int = option(200_000, "requests that the journal keeps, the newest", minimum=1)
    denied_status: int = option(403, "HTTP status for wrong or missing credentials in API 2.0", minimum=400)

    ksc_configured: bool = option(True, "whether the connection to Kaspersky Security Center is configured")
    password_policy: bool = option(True, "whether administrator passwords have to meet the policy")
    password_min_length: int = option(8, "characters that a password needs", minimum=0)
    password_min_classes: int = option(3, "classes (lower, upper, digit, other) that a password needs", minimum=0)
    virtual_server_limit: int = option(
        500, "virtual Administration Servers that Kaspersky Security Center holds", minimum=0
    )
    default_tenant_type: str = option("Simple", "the type of a tenant created without one", "Simple", "Complete")

    ranges: bool = option(True, "whether reports are served in ranges")
    content_range_style: str = option("standard", "'bytes a-b/total' or 'bytes=a-b/total'", "standard", "pages", RANDOM)
    report_hours: float = option(24.0, "hours that a report is kept", minimum=0)
    period_days: float = option(460.0, "days that a protection period is kept", minimum=0)
    report_quoting: str = option("minimal", "quoting of report fields that hold a separator", "minimal", "never")
    report_line_end: str = option("lf", "line ends in reports", "lf", "crlf")
    report_vm_id: str = option("id", "which identifier of a virtual machine reports show", "id", "bios_id")
    report_bom: bool = option(False, "whether reports begin with a byte-order mark")
    unregistered_periods: bool = option(True, "whether reports show virtual machines that were unregistered")
    history_days: int = option(0, "days of invented protection history of every registered virtual machine", minimum=0)
    history_unassigned_vms: int = option(0, "virtual machines without a tenant in that history", minimum=0)

    shape: str = option("fixed", "random: every shape is drawn per answer", "fixed", RANDOM)
    shape_seed: int = option(0, "seed of the random shapes")
    shape_task_id: str = option(
        "element", "how a 202 answer names its task",
        "element", "wrapped", "full", "text", "bare", "json", "location", RANDOM,
    )  # fmt: skip
    shape_list: str = option("plain", "root and dress of lists", *_DRESSINGS, "array", "nested", "generic", RANDOM)
    shape_document: str = option("plain", "dress of single tenants and tasks", *_DRESSINGS, RANDOM)
    shape_result: str = option("nested", "a task's result", "nested", "wrapped", "escaped", "id", RANDOM)
    shape_error: str = option("element", "body of an error", "element", "attribute", "json", "text", RANDOM)
    shape_task_error: str = option("text", "error of a task", "text", "element", "attribute", RANDOM)
    shape_canceled: str = option("Canceled", "spelling of a canceled task", "Canceled", "Cancelled", "Stopped", RANDOM)
    shape_empty: str = option("empty", "optional elements without a value", "empty", "absent", RANDOM)
    shape_content_type: str = option("charset", "Content-Type of XML", "charset", "bare", "text", "quoted", RANDOM)
    shape_register: str = option("empty", "body after registering a virtual machine", "empty", "vm", RANDOM)
    state_names: dict[str, str] = option(  # noqa: RUF009 - it makes a new mapping for each instance
        None, "other words for task states, e.g. {'Queued': 'Waiting'}"
    )


class SettingsSpace:
    """All groups of settings under one set of names. ``space.add(group)`` brings in another dataclass instance."""

    def __init__(self, *groups: Any) -> None:
        self._owner: dict[str, Any] = {}
        self._field: dict[str, dataclasses.Field[Any]] = {}
        self._watchers: list[Callable[[str], None]] = []
        self._initial: dict[str, Any] = {}
        for group in groups:
            self.add(group)

    def add(self, group: Any) -> None:
        """Takes in a dataclass instance whose fields were made with `option`."""
        for field in dataclasses.fields(group):
            if field.name in self._owner:
                raise SettingError(f"two settings are named {field.name}")
            self._owner[field.name] = group
            self._field[field.name] = field
            self._initial[field.name] = getattr(group, field.name)

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Calls ``watcher(name)`` after each change."""
        self._watchers.append(watcher)

    def names(self) -> list[str]:
        """All names."""
        return list(self._owner)

    def values(self) -> dict[str, Any]:
        """All settings as they are now."""
        return {name: getattr(owner, name) for name, owner in self._owner.items()}

    def choices(self, name: str) -> tuple[str, ...]:
        """The words that a setting can be; empty where it is free."""
        choices: tuple[str, ...] = self._field[name].metadata.get("choices") or ()
        return choices

    def describe(self, name: str) -> str:
        """What a setting is about, with its choices."""
        metadata = self._field[name].metadata
        choices = metadata.get("choices") or ()
        return str(metadata.get("about", "")) + (f" ({', '.join(choices)})" if choices else "")

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Changes settings, all or none. Raises SettingError."""
        checked = {name: self._checked(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self._owner[name], name, value)
            for watcher in self._watchers:
                watcher(name)

    def apply_text(self, assignment: str) -> None:
        """Changes one setting from ``name=value`` as the command line has it."""
        name, separator, text = assignment.partition("=")
        if not separator:
            raise SettingError(f"not of the form name=value: {assignment}")
        try:
            value = json.loads(text)
        except ValueError:
            value = text
        if name in self._field and _kind(self._field[name]) is str:
            value = text
        self.apply({name: value})

    def keep(self) -> None:
        """Makes the present values those that `restore` brings back."""
        self._initial = self.values()

    def restore(self) -> None:
        """Back to the values at the last `keep`."""
        self.apply(self._initial)

    def _checked(self, name: str, value: Any) -> Any:
        if name not in self._field:
            raise SettingError(f"no setting is named {name!r}; there are: {', '.join(sorted(self._field))}")
        field = self._field[name]
        kind = _kind(field)
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise SettingError(f"{name} has to be of type {kind.__name__}, not {value!r}")
        choices = field.metadata.get("choices") or ()
        if choices and value not in choices:
            raise SettingError(f"{name} has to be one of {', '.join(choices)}, not {value!r}")
        minimum = field.metadata.get("minimum")
        if minimum is not None and value < minimum:
            raise SettingError(f"{name} has to be at least {minimum}, not {value!r}")
        return dict(value) if isinstance(value, dict) else value


def _kind(field: dataclasses.Field[Any]) -> type:
    return _LOCAL_KINDS[field.type] if isinstance(field.type, str) else field.type
