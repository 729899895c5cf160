# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what leads from the SVMs that are there to those that are wanted. Nothing here talks to the server.

What is there is left alone, what is missing is deployed, what is listed as absent is removed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from itertools import product
from typing import Any

from ..._errors import InputError
from ..change import Change
from .find import Target
from .wanted import ABSENT, PRESENT, RECONFIGURED

DEPLOY, RECONFIGURE, REMOVE = "deploy", "reconfigure", "remove"
ACTIONS = {PRESENT: DEPLOY, RECONFIGURED: RECONFIGURE, ABSENT: REMOVE}


def plan(state: str, targets: Sequence[Target]) -> list[Change[Target]]:
    """Return the changes; none where every SVM is as wanted. A reconfiguration always is one: nothing can be compared.

    :raises InputError: when an SVM can neither be deployed nor reconfigured, or is there twice.
    """
    refuse_repeated(targets)
    missing = [one for one in targets if one.svm is None]
    there = [one for one in targets if one.svm is not None]
    if state == ABSENT:
        return [Change(REMOVE, one, None) for one in there]
    for one in missing:
        if state == RECONFIGURED:
            place = f" in {one.wanted.location}" if one.wanted.location else ""
            raise InputError(
                f"svms[{one.wanted.index}]: there is no SVM {one.label}{place} to reconfigure.",
                hint="Deploy it with state: present, or correct its name, svm_id or location.",
            )
        if one.wanted.svm_id is not None:
            raise InputError(
                f"No SVM has the id {one.wanted.svm_id}, and one cannot be deployed with a chosen id.",
                hint="Leave svm_id out to deploy it.",
            )
    if state == RECONFIGURED:
        return [Change(RECONFIGURE, one, one) for one in there]
    return [Change(DEPLOY, None, one) for one in missing]


def refuse_repeated(targets: Sequence[Target]) -> None:
    """Refuse an SVM that is listed twice, which its options do not show when they name its place in different ways.

    An IP address that is given twice in one network is refused too; projects have networks, and addresses, of their own.
    """
    seen: dict[tuple[Any, ...], int] = {}

    def note(key: tuple[Any, ...], index: int, same: str) -> None:
        if key in seen:
            raise InputError(f"svms[{seen[key]}] and svms[{index}] {same}.")
        seen[key] = index

    for one in targets:
        where, index = one.infrastructure_id.lower(), one.wanted.index
        own = ("name", one.location_id, one.label) if one.svm_id is None else ("id", one.svm_id)
        shown = f"{one.label} ({one.svm_id})" if one.svm_id else one.label
        note((where, *own), index, f"are the same SVM: {shown} in {one.place}")
    for one in targets:
        where, place = one.infrastructure_id.lower(), one.location_id if one.openstack else None
        for number, network in enumerate(one.wanted.networks or ()):
            # A network is known by what was given, and by its id: others may give it in the other way.
            names = {network.network.lower()}
            names |= {one.adapters[number].network.id.lower()} if one.adapters is not None else set()
            for key in product(names, map(ipaddress.ip_address, network.ip_addresses)):
                same = f"have the same IP address: {key[1]}"
                note((where, place, network.vlan_id, *key), one.wanted.index, same)
