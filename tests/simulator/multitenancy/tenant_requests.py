# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The body of 'Creating a tenant', checked. Source: topic 259250."""

from __future__ import annotations

import base64
import binascii
import ipaddress
from dataclasses import dataclass, field

from simulator.errors import ApiError
from simulator.markup import Element
from simulator.multitenancy import checks
from simulator.multitenancy.model import COMPLETE, SIMPLE


@dataclass(slots=True)
class TenantRequest:
    """A tenant that is wanted. The account is there for a complete one only."""

    name: str
    description: str | None
    user_data: str | None
    preferred_address: str | None
    type: str
    admin_username: str = ""
    admin_password: str = field(default="", repr=False)


def read_tenant_request(root: Element, default_type: str) -> TenantRequest:
    """Reads the body. Raises ApiError with the documented codes."""
    checks.known(root, ("name", "description", "userData", "preferredViisAddress", "type", "vKsc"))
    checks.texts(root, "name", "description", "userData", "preferredViisAddress", "type")
    name = root.child_text("name")
    if not name:
        raise ApiError(400, "The tenant name is not specified.", "VIRMT_MandatoryParameterIsNotSpecified")
    kind = root.child_text("type")
    if kind is None:
        kind = default_type
    if kind not in (COMPLETE, SIMPLE):
        raise ApiError(400, f"There is no tenant type '{kind}'.", "VIRMT_InvalidTenantType")
    address = root.child_text("preferredViisAddress")
    if address is not None:
        try:
            ipaddress.ip_address(address)
        except ValueError as problem:
            raise ApiError(400, f"'{address}' is not an IP address.", "VIRMT_InvalidViisAddressFormat") from problem
    request = TenantRequest(name, root.child_text("description"), root.child_text("userData"), address, kind)
    account = root.child("vKsc")
    if kind == COMPLETE:
        _read_account(account, request)
    elif account is not None:
        raise ApiError(400, "vKsc can be specified only for a complete tenant.")
    return request


def _read_account(element: Element | None, request: TenantRequest) -> None:
    user = None
    if element is not None:
        checks.known(element, ("user",))
        user = element.child("user")
    if user is not None:
        checks.known(user, ("name", "password"))
        checks.texts(user, "name", "password")
    name = user.child_text("name") if user is not None else None
    password = user.child_text("password") if user is not None else None
    if not name or not password:
        message = "The name or the password of the administrator account is not specified."
        raise ApiError(400, message, "VIRMT_VKscCredentialsNotSpecified")
    try:
        request.admin_password = base64.b64decode(password, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise ApiError(400, "The password is not encoded in Base64.") from problem
    request.admin_username = name
