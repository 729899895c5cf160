# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies that deploy, reconfigure and remove SVMs, as the pages show them.

Values that the pages print in quotes are texts, those without quotes are JSON. What was not given is left out.
Source: "SVM deployment request (OpenStack infrastructures)", "SVM reconfiguration request", "SVM removal".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, Optional

from ..._text import base64_text
from .find import Adapter, Target
from .plan import DEPLOY, REMOVE
from .wanted import WantedSvms

Body = dict[str, Any]
_SETTINGS = {
    "storage": "storageId",
    "flavor": "flavorId",
    "volume_type": "volumeTypeId",
    "availability_zone": "availabilityZoneName",
    "server_group": "serverGroupId",
}


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
