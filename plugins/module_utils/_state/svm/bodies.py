# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bodies that deploy, reconfigure and remove SVMs, as the pages show them.

Values that the pages print in quotes are texts, those without quotes are JSON. What was not given is left out.
Source: "SVM deployment request (OpenStack infrastructures)", "SVM reconfiguration request", "SVM removal".
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any, Optional

from ..._module.context import Parameters
from .plan import DEPLOY, PlannedSvm
from .wanted import STATIC, WantedSvm

Body = dict[str, Any]


def deploy(parameters: Parameters, planned: Sequence[PlannedSvm]) -> Body:
    """Return the body that deploys SVMs of one deployment type."""
    image = {
        "id": parameters["image_id"],
        "skipCheckIntegrity": _word(parameters["skip_integrity_check"]),
        "localization": parameters.get("localization"),
    }
    return {
        "threadsCount": str(parameters["threads_count"]),
        "image": _without_missing(image),
        "svms": [_deploy_one(one) for one in planned],
    }


def reconfigure(parameters: Parameters, planned: Sequence[PlannedSvm]) -> Body:
    """Return the body that reconfigures SVMs of one deployment type."""
    return {
        "threadsCount": str(parameters["threads_count"]),
        "svms": [_reconfigure_one(one) for one in planned],
    }


def remove(planned: Sequence[PlannedSvm]) -> Body:
    """Return the body that removes SVMs of one deployment type."""
    return {"svms": [{"deploymentInfo": _deployment(one)} for one in planned]}


def settings_of(action: str, parameters: Parameters, planned: PlannedSvm) -> str:
    """Return what tells one deployment or reconfiguration of an SVM from another; of passwords, only which are given."""
    if action == DEPLOY:
        image = {"id": parameters["image_id"], "localization": parameters.get("localization")}
        body = {"image": image, **_deploy_one(planned)}
    else:
        body = _reconfigure_one(planned)
    return json.dumps(_without_passwords(body), sort_keys=True)


def _without_passwords(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "" if key == "password" else _without_passwords(item) for key, item in value.items()}
    return [_without_passwords(item) for item in value] if isinstance(value, list) else value


def _deploy_one(planned: PlannedSvm) -> Body:
    wanted = planned.wanted
    settings = {
        "name": wanted.name,
        "ksc": _ksc(wanted),
        "users": {
            "root": {
                "allowSshAccess": _word(bool(wanted.allow_root_ssh)),
                "password": _base64(wanted.root_password),
            },
            "klconfig": {"password": _base64(wanted.klconfig_password)},
        },
        "dns": _dns(wanted),
    }
    resources = planned.resources
    places = {
        "storageId": resources.get("storage"),
        "flavorId": resources.get("flavor"),
        "volumeTypeId": resources.get("volume_type"),
        "availabilityZoneName": resources.get("availability_zone"),
        "serverGroupId": resources.get("server_group"),
        "networks": _networks(planned),
    }
    return {
        "svmSettings": _without_missing(settings),
        "deploymentInfo": _deployment(planned),
        "settings": _without_missing(places),
    }


def _reconfigure_one(planned: PlannedSvm) -> Body:
    wanted = planned.wanted
    root = {
        "allowSshAccess": None if wanted.allow_root_ssh is None else _word(wanted.allow_root_ssh),
        "password": _base64(wanted.root_password),
    }
    users = {
        "root": _without_missing(root) or None,
        "klconfig": {"password": _base64(wanted.new_klconfig_password)} if wanted.new_klconfig_password else None,
    }
    settings = {
        "password": _base64(wanted.klconfig_password),
        "ksc": _ksc(wanted),
        "users": _without_missing(users) or None,
        "dns": _dns(wanted),
    }
    body: Body = {"svmSettings": _without_missing(settings), "deploymentInfo": _deployment(planned)}
    if planned.networks is not None:
        body["settings"] = {"networks": _networks(planned)}
    return body


def _deployment(planned: PlannedSvm) -> Body:
    target = {
        "infrastructureId": planned.infrastructure_id,
        "svmId": planned.svm_id,
        "location": {"id": planned.location_id},
    }
    return {"type": "openstackProject" if planned.openstack else "host", "target": _without_missing(target)}


def _ksc(wanted: WantedSvm) -> Optional[Body]:
    ksc = wanted.ksc
    if not ksc:
        return None
    return _without_missing(
        {
            "address": ksc["address"],
            "port": _text(ksc.get("port")),
            "sslPort": _text(ksc.get("ssl_port")),
            "language": ksc.get("language"),
        }
    )


def _dns(wanted: WantedSvm) -> Optional[Body]:
    dns = wanted.dns or {}
    return _without_missing({"main": dns.get("main"), "alternative": dns.get("alternative")}) or None


def _networks(planned: PlannedSvm) -> list[Body]:
    if not planned.openstack:
        return [_host_network(network) for network in planned.networks or []]
    # Several adapters of one network are ports of one element.
    by_id: dict[str, list[Body]] = {}
    for network in planned.networks or []:
        by_id.setdefault(network["network"], []).append(_port(network))
    return [{"id": network_id, "ports": ports} for network_id, ports in by_id.items()]


def _host_network(network: dict[str, Any]) -> Body:
    static = network["addressing"] == STATIC
    return _without_missing(
        {
            "id": network["network"],
            "vlanId": _text(network.get("vlan_id")),
            "isPrimary": bool(network.get("primary")),
            "type": network["addressing"],
            "ipAddress": network["ip_addresses"][0] if static else None,
            "mask": network["mask"] if static else None,
            "gateway": network["gateway"] if static else None,
        }
    )


def _port(network: dict[str, Any]) -> Body:
    static = network["addressing"] == STATIC
    groups = network.get("security_groups") or None
    return _without_missing(
        {
            "isPrimary": bool(network.get("primary")),
            "type": network["addressing"],
            "ipAddresses": list(network["ip_addresses"]) if static else None,
            "mask": network["mask"] if static else None,
            "gateway": network["gateway"] if static else None,
            "vlanId": _text(network.get("vlan_id")),
            "portSecurityEnabled": True if groups else None,
            "securityGroupIds": groups,
        }
    )


def _without_missing(fields: Body) -> Body:
    return {key: value for key, value in fields.items() if value is not None}


def _word(value: bool) -> str:
    return "true" if value else "false"


def _text(value: Optional[int]) -> Optional[str]:
    return None if value is None else str(value)


def _base64(password: Optional[str]) -> Optional[str]:
    return base64.b64encode(password.encode("utf-8")).decode("ascii") if password else None
