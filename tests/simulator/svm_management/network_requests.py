# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``networks`` of a request, read strictly.

Source: the listings and lists of 'SVM deployment request' and 'SVM reconfiguration request', both sections of each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.svm_management.elements import Element
from simulator.svm_management.model import Location

_STATIC, _DYNAMIC = "static", "dynamic"
_MAXIMUM_VLAN = 4094


@dataclass
class Networks:
    """What was asked for: ``adapters`` as objects show them, ``settings`` as they were sent."""

    adapters: list[dict[str, Any]] = field(default_factory=list)
    settings: list[dict[str, Any]] = field(default_factory=list)
    primaries: int = 0
    static: bool = False
    primary_address: str | None = None


def read_networks(element: Element, location: Location, openstack: bool) -> Networks:
    """Reads the list; exactly one network (network adapter, in OpenStack) has to be the primary one."""
    found = Networks()
    for each in element.items():
        if openstack:
            _project_network(each, location, found)
        else:
            _host_network(each, location, found)
    if found.primaries != 1:
        raise element.refuse(f"has to hold exactly one primary network (isPrimary: true), not {found.primaries}")
    return found


def _host_network(element: Element, location: Location, found: Networks) -> None:
    given = element.object(["id", "isPrimary", "type"], ["vlanId", "ipAddress", "mask", "gateway"])
    network = _known(given["id"], location, "networks")
    addresses = [given["ipAddress"].ip()] if "ipAddress" in given else []
    _addressing(element, given, "ipAddress", addresses, found)
    found.adapters.append(dict(network))
    found.settings.append(element.value)


def _project_network(element: Element, location: Location, found: Networks) -> None:
    given = element.object(["id", "ports"])
    network = _known(given["id"], location, "networks")
    for port in given["ports"].items():
        optional = ["ipAddresses", "mask", "gateway", "vlanId", "portSecurityEnabled", "securityGroupIds"]
        values = port.object(["isPrimary", "type"], optional)
        addresses = [each.ip() for each in values["ipAddresses"].items()] if "ipAddresses" in values else []
        _addressing(port, values, "ipAddresses", addresses, found)
        adapter: dict[str, Any] = {"id": network["id"], "name": network["name"]}
        secured = values["portSecurityEnabled"].truth() if "portSecurityEnabled" in values else False
        if "securityGroupIds" in values:
            if not secured:
                raise values["securityGroupIds"].refuse("needs portSecurityEnabled: true beside it")
            groups = [_known(each, location, "securityGroups") for each in values["securityGroupIds"].items()]
            adapter["securityGroups"] = [dict(group) for group in groups]
        found.adapters.append(adapter)
    found.settings.append(element.value)


def _addressing(element: Element, given: dict[str, Element], name: str, addresses: list[str], found: Networks) -> None:
    """Whether it is primary, and its addressing; both are noted in ``found``."""
    primary = given["isPrimary"].truth()
    found.primaries += primary
    kind = given["type"].word(_STATIC, _DYNAMIC)
    for each in (name, "mask", "gateway"):
        if kind == _STATIC and each not in given:
            raise Element(None, f"{element.path}.{each}").refuse("is missing: static addressing needs it")
        if kind == _DYNAMIC and each in given:
            raise given[each].refuse("is for static addressing only")
    if kind == _STATIC:
        found.static = True
        given["mask"].mask()
        given["gateway"].ip()
    if "vlanId" in given:
        given["vlanId"].number(0, _MAXIMUM_VLAN)
    if primary and addresses:
        found.primary_address = addresses[0]


def _known(element: Element, location: Location, kind: str) -> dict[str, Any]:
    resource = location.resource(kind, element.text())
    if resource is None:
        raise element.refuse(f"names none of the {kind} of {location.name}")
    return resource
