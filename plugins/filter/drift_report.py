# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a page or data of what ``ksvla_fleet`` returns, for those who look at it in the morning."""

from __future__ import annotations

DOCUMENTATION = r"""
name: drift_report
short_description: What differed between a list of tenants and the server
version_added: 1.0.0
description:
  - Makes a page in Markdown, or data in JSON, of the result of M(ksvla.light_agent.ksvla_fleet). Tenants that did not differ
    are counted, and not listed.
author:
  - ksvla.light_agent contributors (@ksvla)
options:
  _input:
    description: The result.
    type: dict
    required: true
  ending:
    description: What to make.
    type: str
    choices: [md, json]
    default: md
  predicted:
    description: Whether it was check mode, so that nothing was changed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what differed
  ansible.builtin.debug:
    msg: "{{ (fleet | ksvla.light_agent.drift_report).splitlines() }}"
"""

RETURN = r"""
_value:
  description: The page or the data.
  type: str
  sample: |
    # Drift

    3 tenants: 1 changed, 2 unchanged
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.ksvla.light_agent.plugins.plugin_utils._values import plain

_WORDS = {"moved_in": "moved", "not_tried": "not tried"}


def drift_report(result: Mapping[str, Any], ending: str = "md", predicted: bool = False) -> str:
    """Return what differed, as a page or as data."""
    if not isinstance(result, Mapping):
        raise AnsibleFilterError("drift_report takes the result of ksvla_fleet.")
    data = _data(plain(result), predicted)
    if ending == "json":
        return json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    if ending == "md":
        return "\n".join(_page(data)) + "\n"
    raise AnsibleFilterError(f"ending must be md or json, not {ending!r}.")


def _data(result: Mapping[str, Any], predicted: bool) -> dict[str, Any]:
    tenants = result.get("tenants", [])
    return {
        "predicted": predicted,
        "failed": bool(result.get("failed")),
        "msg": result.get("msg"),
        "counts": result.get("counts"),
        "unlisted": result.get("unlisted"),
        "tenants": [tenant for tenant in tenants if tenant["outcome"] != "unchanged"],
    }


def _page(data: Mapping[str, Any]) -> Iterator[str]:
    yield "# Drift"
    yield ""
    if data["counts"] is None:
        yield f"The tenants could not be compared: {_text(data['msg'])}"
        return
    for kind, singular in (("tenants", "tenant"), ("vms", "virtual machine")):
        counts = data["counts"][kind]
        # A virtual machine that is moved is counted at both tenants.
        once = {_WORDS.get(name, name): number for name, number in counts.items() if name != "moved_out"}
        total = sum(once.values())
        parts = [f"{number} {name}" for name, number in once.items() if number]
        yield f"{total} {singular}{'' if total == 1 else 's'}: {', '.join(parts) or 'none'}  "
    yield "Nothing was changed: this is what a run would do." if data["predicted"] else "This is what was done."
    if data["unlisted"]:
        yield ""
    for name in data["unlisted"] or ():
        yield f"- not in the list: {_text(name)}"
    for tenant in data["tenants"]:
        yield from _part(tenant)


def _part(tenant: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"## {_text(tenant['name'])}: {tenant['outcome']}"
    yield ""
    for action in tenant["actions"]:
        yield f"- {action}"
    for vm in tenant["results"]:
        source = f" from {_text(vm['from'])}" if vm.get("from") else ""
        reason = f": {_text(vm['error'])}" if vm["error"] else ""
        yield f"- {vm['action']}{source}: {_text(vm['name'])} `{vm['bios_id']}`{reason}"
    shown = len(tenant["results"])
    done = sum(
        number for name, number in tenant["counts"].items() if name not in ("unchanged", "not_tried", "moved_out")
    )
    if done > shown:
        yield f"- and {done - shown} more virtual machines"
    if tenant["counts"]["moved_out"]:
        yield f"- moved to other tenants: {tenant['counts']['moved_out']}"
    if tenant["error"]:
        yield f"- **{_text(tenant['error'])}**"
    if tenant["hint"]:
        yield f"- {_text(tenant['hint'])}"


def _text(value: Any) -> str:
    """Return a text in one line, in which nothing is taken for markup."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|" else letter for letter in " ".join(str(value).split()))


class FilterModule:
    """The filter ``ksvla.light_agent.drift_report``."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"drift_report": drift_report}
