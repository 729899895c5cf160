# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies that deploy, reconfigure and remove SVMs, as the pages show them.

Values that the pages print in quotes are texts, those without quotes are JSON. What was not given is left out.
Source: "SVM deployment request (OpenStack infrastructures)", "SVM reconfiguration request", "SVM removal".
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any, Optional

from .addresses import STATIC
from .find import Adapter, Target
from .plan import DEPLOY, REMOVE
from .wanted import WantedSvm, WantedSvms

Body = dict[str, Any]


def request_body(action: str, wanted: WantedSvms, targets: Sequence[Target]) -> Body:
    """Return the body that deploys, reconfigures or removes SVMs of one deployment type."""
    svms = [_svm(action, one) for one in targets]
    if action == REMOVE:
        return {"svms": svms}
    body: Body = {"threadsCount": str(wanted.threads_count)}
    if action == DEPLOY:
        skipped = {"skipCheckIntegrity": _word(wanted.skip_integrity_check)}
        body["image"] = {"id": wanted.image_id, **skipped, **_given(localization=wanted.localization)}
    return {**body, "svms": svms}


def settings_of(action: str, wanted: WantedSvms, target: Target) -> Body:
    """Return what distinguishes one request about an SVM from another; of passwords, only which are given."""
    body: Body = _without_passwords(_svm(action, target))
    if action == DEPLOY:
        body["image"] = {"id": wanted.image_id, "localization": wanted.localization}
    return body


def _without_passwords(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "" if key == "password" else _without_passwords(item) for key, item in value.items()}
    return [_without_passwords(item) for item in value] if isinstance(value, list) else value


def _svm(action: str, target: Target) -> Body:
    if action == REMOVE:
        return {"deploymentInfo": _deployment(target)}
    return _deploy(target) if action == DEPLOY else _reconfigure(target)


def _deploy(target: Target) -> Body:
    wanted = target.wanted
    root = {"allowSshAccess": _word(bool(wanted.allow_root_ssh)), "password": _base64(wanted.root_password)}
    settings = _given(
        name=wanted.name,
        ksc=_ksc(wanted),
        users={"root": root, "klconfig": {"password": _base64(wanted.klconfig_password)}},
        dns=_dns(wanted),
    )
    ids = {option: one.id for option, one in target.resources.items()}
    zone = target.resources.get("availability_zone")
    resources = _given(
        storageId=ids.get("storage"),
        flavorId=ids.get("flavor"),
        volumeTypeId=ids.get("volume_type"),
        availabilityZoneName=zone.name if zone else None,
        serverGroupId=ids.get("server_group"),
        networks=_networks(target),
    )
    return {"svmSettings": settings, "deploymentInfo": _deployment(target), "settings": resources}


def _reconfigure(target: Target) -> Body:
    wanted = target.wanted
    ssh = None if wanted.allow_root_ssh is None else _word(wanted.allow_root_ssh)
    new = _base64(wanted.new_klconfig_password)
    users = _given(
        root=_given(allowSshAccess=ssh, password=_base64(wanted.root_password)) or None,
        klconfig={"password": new} if new else None,
    )
    settings = _given(
        password=_base64(wanted.klconfig_password), ksc=_ksc(wanted), users=users or None, dns=_dns(wanted)
    )
    body: Body = {"svmSettings": settings, "deploymentInfo": _deployment(target)}
    return body if target.adapters is None else {**body, "settings": {"networks": _networks(target)}}


def _deployment(target: Target) -> Body:
    place = _given(infrastructureId=target.infrastructure_id, svmId=target.svm_id, location={"id": target.location_id})
    return {"type": "openstackProject" if target.openstack else "host", "target": place}


def _ksc(wanted: WantedSvm) -> Optional[Body]:
    ksc = wanted.ksc
    if ksc is None:
        return None
    return _given(address=ksc.address, port=str(ksc.port), sslPort=str(ksc.ssl_port), language=ksc.language)


def _dns(wanted: WantedSvm) -> Optional[Body]:
    return _given(main=wanted.dns.main, alternative=wanted.dns.alternative) if wanted.dns else None


def _networks(target: Target) -> list[Body]:
    adapters = target.adapters or ()
    if not target.openstack:
        return [{"id": one.network.id, **_host_adapter(one)} for one in adapters]
    # Several adapters of one network are ports of one element.
    by_id: dict[str, list[Body]] = {}
    for one in adapters:
        by_id.setdefault(one.network.id, []).append(_port(one))
    return [{"id": network_id, "ports": ports} for network_id, ports in by_id.items()]


def _host_adapter(adapter: Adapter) -> Body:
    addresses = adapter.wanted.ip_addresses
    return _given(**_adapter(adapter), ipAddress=addresses[0] if addresses else None)


def _port(adapter: Adapter) -> Body:
    groups = [one.id for one in adapter.security_groups]
    return _given(
        **_adapter(adapter),
        ipAddresses=list(adapter.wanted.ip_addresses) or None,
        portSecurityEnabled=True if groups else None,
        securityGroupIds=groups or None,
    )


def _adapter(adapter: Adapter) -> Body:
    wanted = adapter.wanted
    static = wanted.addressing == STATIC
    return {
        "vlanId": None if wanted.vlan_id is None else str(wanted.vlan_id),
        "isPrimary": wanted.primary,
        "type": wanted.addressing,
        "mask": wanted.mask if static else None,
        "gateway": wanted.gateway if static else None,
    }


def _given(**fields: Any) -> Body:
    """Return the fields that have a value."""
    return {key: value for key, value in fields.items() if value is not None}


def _word(value: bool) -> str:
    return "true" if value else "false"


def _base64(password: Optional[str]) -> Optional[str]:
    return base64.b64encode(password.encode("utf-8")).decode("ascii") if password else None
