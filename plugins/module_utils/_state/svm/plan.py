# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: what leads from the SVMs that are there to those that are wanted, and the bodies of the requests for it.

What is there is left alone, what is missing is deployed, what is listed as absent is removed. Nothing here talks to the
server. The bodies are as the pages show them: values that are printed there in quotes are texts, those without quotes are
JSON. What was not given is left out.
Source: "SVM deployment request (OpenStack infrastructures)", "SVM reconfiguration request", "SVM removal".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from typing import Any, Callable, Optional

from ..._errors import InputError
from ..._text import base64_text
from ..change import Change
from .find import Adapter, Target
from .wanted import ABSENT, PRESENT, RECONFIGURED, WantedSvms

DEPLOY, RECONFIGURE, REMOVE = "deploy", "reconfigure", "remove"
ACTIONS = {PRESENT: DEPLOY, RECONFIGURED: RECONFIGURE, ABSENT: REMOVE}
Body = dict[str, Any]
_SETTINGS = {
    "storage": "storageId",
    "flavor": "flavorId",
    "volume_type": "volumeTypeId",
    "availability_zone": "availabilityZoneName",
    "server_group": "serverGroupId",
}


def plan(state: str, targets: Sequence[Target], busy: Collection[Target]) -> list[Change[Target]]:
    """Return the changes; none where every SVM is as wanted. A reconfiguration always is one: nothing can be compared.

    :param busy: SVMs with which a task is busy: it is attached to, or has to end first.
    :raises InputError: when an SVM can neither be deployed nor reconfigured, or is there twice.
    """
    refuse_repeated(targets)
    changed = [one for one in targets if one in busy or not _is_as_wanted(one, state)]
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


def _is_as_wanted(target: Target, state: str) -> bool:
    return state != RECONFIGURED and (target.svm is not None) is (state == PRESENT)


def refuse_repeated(targets: Sequence[Target]) -> None:
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


def request_body(action: str, wanted: WantedSvms, targets: Sequence[Target]) -> Body:
    body: Body = {} if action == REMOVE else {"threadsCount": str(wanted.threads_count)}
    if action == DEPLOY:
        skipped = _word(wanted.skip_integrity_check)
        body["image"] = given(id=wanted.image_id, skipCheckIntegrity=skipped, localization=wanted.localization)
    return {**body, "svms": [_svm(action, one, base64_text) for one in targets]}


def settings_of(action: str, wanted: WantedSvms, target: Target) -> Body:
    """Return what distinguishes one request about an SVM from another; of passwords, only which are given."""
    body = _svm(action, target, lambda _password: "")
    if action == DEPLOY:
        body["image"] = {"id": wanted.image_id, "localization": wanted.localization}
    return body


def _svm(action: str, target: Target, encode: Callable[[str], str]) -> Body:
    """Return what is sent about one SVM.

    :param encode: Returns what is written of a password.
    """
    place = given(infrastructureId=target.infrastructure_id, svmId=target.svm_id, location={"id": target.location_id})
    body: Body = {"deploymentInfo": {"type": "openstackProject" if target.openstack else "host", "target": place}}
    if action == REMOVE:
        return body
    wanted, ksc, dns = target.wanted, target.wanted.ksc, target.wanted.dns
    texts = (wanted.root_password, wanted.klconfig_password, wanted.new_klconfig_password)
    root_password, klconfig_password, new_password = (encode(text) if text else None for text in texts)
    common = given(
        ksc=ksc and given(address=ksc.address, port=str(ksc.port), sslPort=str(ksc.ssl_port), language=ksc.language),
        dns=dns and given(main=dns.main, alternative=dns.alternative),
    )
    if action == DEPLOY:
        root = {"allowSshAccess": _word(bool(wanted.allow_root_ssh)), "password": root_password}
        users: Body = {"root": root, "klconfig": {"password": klconfig_password}}
        settings: Body = {
            name: one.name if option == "availability_zone" else one.id
            for option, name in _SETTINGS.items()
            if (one := target.resources.get(option))
        }
        settings["networks"] = _networks(target)
        return {"svmSettings": {"name": wanted.name, "users": users, **common}, **body, "settings": settings}
    root = given(allowSshAccess=_word(wanted.allow_root_ssh), password=root_password)
    users = given(root=root, klconfig=given(password=new_password))
    body["svmSettings"] = given(password=klconfig_password, **common, users=users)
    return body if target.adapters is None else {**body, "settings": {"networks": _networks(target)}}


def _networks(target: Target) -> list[Body]:
    adapters = target.adapters or ()
    if not target.openstack:
        return [{"id": one.network.id, **_adapter(one, openstack=False)} for one in adapters]
    # Several adapters of one network are ports of one element.
    ports: dict[str, list[Body]] = {}
    for one in adapters:
        ports.setdefault(one.network.id, []).append(_adapter(one, openstack=True))
    return [{"id": network_id, "ports": each} for network_id, each in ports.items()]


def _adapter(adapter: Adapter, *, openstack: bool) -> Body:
    wanted, groups = adapter.wanted, [one.id for one in adapter.security_groups]
    addresses = list(wanted.ip_addresses)
    return given(
        vlanId=None if wanted.vlan_id is None else str(wanted.vlan_id),
        isPrimary=wanted.primary,
        type=wanted.addressing,
        mask=wanted.mask,
        gateway=wanted.gateway,
        ipAddress=addresses[0] if addresses and not openstack else None,
        ipAddresses=addresses if openstack else None,
        portSecurityEnabled=True if groups else None,
        securityGroupIds=groups,
    )


def given(**fields: Any) -> Body:
    """Return the fields that have a value; False is one."""
    return {key: value for key, value in fields.items() if value not in (None, (), [], {})}


def _word(value: Optional[bool]) -> Optional[str]:
    return None if value is None else str(value).lower()
