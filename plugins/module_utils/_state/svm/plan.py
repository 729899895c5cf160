# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what leads from the SVMs that are there to those that are wanted. Nothing here talks to the server.

What is there is left alone, what is missing is deployed, what is listed as absent is removed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from typing import Any

from ..._errors import InputError
from ..change import Change
from .find import Target
from .wanted import ABSENT, PRESENT, RECONFIGURED

DEPLOY, RECONFIGURE, REMOVE = "deploy", "reconfigure", "remove"
ACTIONS = {PRESENT: DEPLOY, RECONFIGURED: RECONFIGURE, ABSENT: REMOVE}


def plan(state: str, targets: Sequence[Target], busy: Collection[Target]) -> list[Change[Target]]:
    """Return the changes; none where every SVM is as wanted. A reconfiguration always is one: nothing can be compared.

    :param busy: SVMs with which a task is busy: it is attached to, or has to end first.
    :raises InputError: when an SVM can neither be deployed nor reconfigured, or is there twice.
    """
    _refuse_repeated(targets)
    changed = [
        one for one in targets if one in busy or state == RECONFIGURED or (one.svm is None) is (state == PRESENT)
    ]
    for one in changed:
        if one.svm is not None or one in busy:
            continue
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
    action = ACTIONS[state]
    return [Change(action, None if action == DEPLOY else one, None if action == REMOVE else one) for one in changed]


def _refuse_repeated(targets: Sequence[Target]) -> None:
    """Refuse an SVM that is listed twice, which its options do not show when they name its place in different ways.

    An IP address that is given twice in one network is refused too; projects have networks, and addresses, of their own.
    """
    seen: dict[tuple[Any, ...], int] = {}
    for one in targets:
        for key, same in _unique(one):
            if key in seen:
                raise InputError(f"svms[{seen[key]}] and svms[{one.wanted.index}] {same}.")
            seen[key] = one.wanted.index


def _unique(target: Target) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Return what no other SVM may have, and how a message says it."""
    where, own_id, place = target.infrastructure_id.lower(), target.svm_id, target.location_id
    shown = f"{target.label} ({own_id})" if own_id else target.label
    own = ("id", own_id) if own_id else ("name", place, target.label)
    yield (where, *own), f"are the same SVM: {shown} in {target.place}"
    for number, network in enumerate(target.wanted.networks or ()):
        # A network is known by what was given, and by its id: others may give it in the other way.
        names = {network.network.lower()}
        names |= {target.adapters[number].network.id.lower()} if target.adapters is not None else set()
        for name, address in product(names, map(ipaddress.ip_address, network.ip_addresses)):
            within = (where, place if target.openstack else None, network.vlan_id)
            yield (*within, name, address), f"have the same IP address: {address}"
