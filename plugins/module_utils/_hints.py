# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about an error, in a sentence for the user.

The codes are those of the reference's return codes and task error codes (topics 259246 to 259259). What to do about a
connection error of API 3.0 depends on more than its code: see ``_state/infrastructure/diagnosis.py``.
"""

from __future__ import annotations

from typing import Optional

BY_CODE: dict[str, str] = {
    "VIRMT_TenantWithSpecifiedIdNotFound": (
        "No tenant has this id: list the tenants with ksvla_tenant_info, or give the tenant's name instead of its id."
    ),
    "VIRMT_MandatoryParameterIsNotSpecified": "A required value is missing: give the tenant a name.",
    "VIRMT_InvalidTenantType": "The type of a tenant is 'complete' or 'simple'.",
    "VIRMT_VKscCredentialsNotSpecified": (
        "A complete tenant needs admin_username and admin_password, the account of its virtual Administration Server."
    ),
    "VIRMT_InvalidViisAddressFormat": "preferred_viis_address must be the IP address of the Integration Server.",
    "KSC_ServiceNotConfigured": (
        "The Integration Server is not connected to Kaspersky Security Center: set the connection up in the "
        "Integration Server's console, section 'Kaspersky Security Center connection settings', then run this again."
    ),
    "VIRMT_TenantGroupAlreadyExists": (
        "Kaspersky Security Center still has a folder with this tenant's name, as after a tenant was removed with "
        "remove_artifacts: false. Remove that folder below 'Multitenancy KSV LA' or choose another name."
    ),
    "VIRMT_TenantWithSpecifiedNameAlreadyExists": (
        "A tenant with this name already exists. This collection compares names exactly; the server may ignore differences "
        "such as upper and lower case. List the tenants with ksvla_tenant_info."
    ),
    "VIRMT_PasswordNotComplyPolicy": (
        "Choose an admin_password that meets the password requirements of Kaspersky Security Center."
    ),
    "VIRMT_UserWithSpecifiedNameAlreadyExists": (
        "Account names are unique across Kaspersky Security Center and all its virtual Administration Servers: choose "
        "another admin_username, or switch that check off in Kaspersky Security Center."
    ),
    "VIRMT_VmWithSpecifiedBiosIdAlreadyExists": (
        "A BIOS id can be registered only once on an Integration Server: first unregister it from the tenant that holds it."
    ),
    "VIRMT_VmWithSpecifiedIdNotFound": "The tenant has no such virtual machine: list them with ksvla_tenant_vm_info.",
}

_BY_STATUS: dict[int, str] = {
    401: (
        "Check the username and the password, or the access token. Each password is tried once, because ten wrong ones "
        "block an account."
    ),
    403: (
        "Check the username and the password: API 2.0 needs the account 'multitenancy', API 3.0 the account 'admin'."
    ),
    404: "Check the id, and that host and port are those of an Integration Server.",
    # 405 and 409 are those of canceling a task.
    405: "A child task cannot be canceled by itself: cancel its parent.",
    409: "The task has already ended.",
    415: "The server does not offer the report in this format.",
    429: "The server asks for fewer requests: run with a lower concurrency, or raise retries.",
    502: "A gateway in front of the Integration Server could not reach it: try again later, or raise retries.",
    503: "The Integration Server is not available at the moment: try again later, or raise retries.",
    504: "A gateway in front of the Integration Server got no answer in time: try again later, or raise retries.",
}
_NO_API = "The server does not offer API 2.0: check host and port. Version 5.1 of the product needs update 5.1.2."
_UPDATE = "If every call of API 2.0 gets this answer: version 5.1 of the product needs update 5.1.2."
_LISTS = ("/virtualization/tenants", "/virtualization/tasks")
"""Paths of API 2.0 that are there whatever the server holds."""
_WHATEVER_THE_CODE = frozenset({401, 403, 404, 429, 502, 503, 504})
"""Statuses that are worth a hint even beside an unknown code."""

TENANT_LIMIT = (
    "If the message does not say why: one Kaspersky Security Center server can have at most 500 virtual Administration "
    "Servers, one per complete tenant. Remove complete tenants that are no longer needed, with remove_artifacts: true, or "
    "choose type: simple."
)
"""For a tenant that was not created, for a reason without a code: the one limit for which the pages name none."""


def hint_for(error_code: Optional[str], status: Optional[int] = None, request: Optional[str] = None) -> Optional[str]:
    """Return the hint for an error code, or else for an HTTP status; None where there is nothing to advise.

    :param request: Method and path of the request: some codes and statuses mean different things in the two APIs.
    """
    asked = request or "/cancel"
    if error_code == "VIRMT_MandatoryParameterIsNotSpecified" and " /api/3.0/" in asked:
        return "A required value is missing: the server's message says which."
    if error_code in BY_CODE:
        return BY_CODE[error_code]
    if status is not None and (error_code is None or status in _WHATEVER_THE_CODE):
        if status == 404 and " /api/2.0/" in asked:
            return _NO_API if asked.endswith(_LISTS) else f"{_BY_STATUS[404]} {_UPDATE}"
        if status in _BY_STATUS and (asked.endswith("/cancel") or status not in (405, 409)):
            return _BY_STATUS[status]
        if status >= 500:
            return "The Integration Server failed to handle the request: see its log for the reason."
    if error_code is not None and error_code.startswith("KSC_"):
        return "Kaspersky Security Center refused the request: see its event log for the reason."
    return None
