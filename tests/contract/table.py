# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The contract of the API as data: each call, each return code, each error code.

Sources: "Using the Integration Server REST API in multi-tenancy scenarios" (topic 199331), "… in SVM management
scenarios", and the topics named with each call. `test_table` (API 2.0) and `test_table_svm_management` (API 3.0) hold the
client and the simulator against it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MULTITENANCY = "multitenancy"
SVM_MANAGEMENT = "svm_management"
XML = "application/xml"
XML_BODY = "application/xml; charset=utf-8"
CSV = "application/csv"
JSON = "application/json"
JSON_BODY = "application/json; charset=utf-8"

NOT_FOUND = "VIRMT_TenantWithSpecifiedIdNotFound"
NO_SERVICE = "KSC_ServiceNotConfigured"


@dataclass(frozen=True)
class Call:
    """A call of the API.

    :param name: What the call is named here; the client's method of that name sends it.
    :param path: Its path; ``{…}`` stands for one percent-encoded segment.
    :param query: The parameters that may stand behind it.
    :param accept: The value of the header ``Accept``.
    :param content_type: The value of ``Content-Type``, or None for a call without a body.
    :param answers: The return codes, each with the error codes that may come with it.
    :param task_type: The type of the task that the call starts.
    :param task_errors: The error codes that this task may end with.
    """

    api: str
    name: str
    method: str
    path: str
    topic: str
    query: tuple[str, ...] = ()
    accept: str = XML
    content_type: str | None = None
    answers: dict[int, tuple[str, ...]] = field(default_factory=dict)
    task_type: str | None = None
    task_errors: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One thing that can come of a call: a return code, with or without an error code, or a task that fails.

    :param where: ``answer`` or ``task``.
    """

    call: str
    status: int
    code: str | None = None
    where: str = "answer"

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.call, self.status, self.code, self.where) if part is not None)


_BASE = "/api/2.0/virtualization"
_TENANTS = f"{_BASE}/tenants"
_TENANT = f"{_TENANTS}/{{tenant_id}}"
_REPORTS = f"{_BASE}/reports/tenants"
_TASKS = f"{_BASE}/tasks"

CALLS: tuple[Call, ...] = (
    Call(MULTITENANCY, "tenants", "GET", _TENANTS, "259248", answers={200: (), 403: ()}),
    Call(MULTITENANCY, "tenant", "GET", _TENANT, "259247", answers={200: (), 403: (), 404: (NOT_FOUND,)}),
    Call(
        MULTITENANCY,
        "create_tenant",
        "POST",
        _TENANTS,
        "259250",
        content_type=XML_BODY,
        answers={
            202: (),
            400: (
                "VIRMT_MandatoryParameterIsNotSpecified",
                "VIRMT_InvalidTenantType",
                "VIRMT_VKscCredentialsNotSpecified",
                "VIRMT_InvalidViisAddressFormat",
            ),
            403: (),
        },
        task_type="CreateTenant",
        task_errors=(
            NO_SERVICE,
            "VIRMT_TenantGroupAlreadyExists",
            "VIRMT_TenantWithSpecifiedNameAlreadyExists",
            "VIRMT_PasswordNotComplyPolicy",
            "VIRMT_UserWithSpecifiedNameAlreadyExists",
        ),
    ),
    *(
        Call(
            MULTITENANCY,
            f"{change}_tenant",
            "POST",
            f"{_TENANT}/{change}",
            topic,
            answers={202: (), 403: ()},
            task_type="ChangeTenantActivation",
            task_errors=(NOT_FOUND, NO_SERVICE),
        )
        for change, topic in (("activate", "259251"), ("deactivate", "259252"))
    ),
    Call(
        MULTITENANCY,
        "remove_tenant",
        "DELETE",
        _TENANT,
        "259255",
        query=("removeTenantArtifacts",),
        answers={202: (), 403: ()},
        task_type="DeleteTenant",
        task_errors=(NOT_FOUND, NO_SERVICE),
    ),
    Call(MULTITENANCY, "vms", "GET", f"{_TENANT}/vms", "259249", answers={200: (), 403: (), 404: (NOT_FOUND,)}),
    Call(
        MULTITENANCY,
        "register_vm",
        "POST",
        f"{_TENANT}/vms/register",
        "259253",
        content_type=XML_BODY,
        answers={200: (), 403: (), 404: (NOT_FOUND,), 409: ("VIRMT_VmWithSpecifiedBiosIdAlreadyExists",)},
    ),
    Call(
        MULTITENANCY,
        "unregister_vm",
        "POST",
        f"{_TENANT}/vms/unregister",
        "259254",
        query=("biosId", "vmId"),
        answers={200: (), 403: (), 404: (NOT_FOUND, "VIRMT_VmWithSpecifiedIdNotFound")},
    ),
    Call(
        MULTITENANCY,
        "generate_report",
        "POST",
        _REPORTS,
        "259257",
        query=("tenantId", "from", "to"),
        accept=CSV,
        answers={202: (), 403: (), 404: ()},
        task_type="CreateTenantReport",
    ),
    Call(
        MULTITENANCY,
        "report",
        "GET",
        f"{_REPORTS}/{{report_id}}",
        "259258",
        accept=CSV,
        answers={200: (), 206: (), 403: (), 404: (), 415: ()},
    ),
    Call(MULTITENANCY, "task", "GET", f"{_TASKS}/{{task_id}}", "259259", answers={200: (), 403: (), 404: ()}),
    Call(
        MULTITENANCY,
        "tasks",
        "GET",
        _TASKS,
        "199645",
        query=("createdFrom", "state", "type"),
        answers={200: (), 403: ()},
    ),
    Call(
        MULTITENANCY,
        "cancel_task",
        "POST",
        f"{_TASKS}/{{task_id}}/cancel",
        "199647",
        answers={200: (), 202: (), 403: (), 404: (), 405: (), 409: ()},
    ),
)


def rows_of(call: Call) -> Iterator[Row]:
    """All rows of a call; a return code without error codes is a row of its own."""
    for status, codes in call.answers.items():
        for code in codes or (None,):
            yield Row(call.name, status, code)
    for code in call.task_errors:
        yield Row(call.name, 202, code, "task")


_V3 = "/api/3.0"
_INFRASTRUCTURES = f"{_V3}/infrastructures"
_INFRASTRUCTURE = f"{_INFRASTRUCTURES}/{{infrastructure_id}}"
_SVMS = f"{_V3}/management/deployment/svm/"


def _svm_call(
    name: str,
    method: str,
    path: str,
    topic: str,
    *query: str,
    body: bool = False,
    status: int = 200,
    task_types: tuple[str, ...] = (),
) -> Call:
    content_type = JSON_BODY if body else None
    task_type = " ".join(task_types) or None
    return Call(SVM_MANAGEMENT, name, method, path, topic, query, JSON, content_type, {status: ()}, task_type)


SVM_MANAGEMENT_CALLS: tuple[Call, ...] = (
    _svm_call("log_in", "GET", f"{_V3}/auth/tokens", "Authentication on the Integration Server"),
    _svm_call("certificate", "GET", f"{_V3}/sslConfig/getCertificate", "Obtaining a certificate", "address"),
    _svm_call("ssh_key", "GET", f"{_V3}/sshConfig/getSshKey", "Obtaining an SSH key", "address"),
    _svm_call(
        "trust",
        "POST",
        f"{_V3}/sslConfig/certificateValidator/rules",
        "Adding to the trusted list",
        body=True,
        status=201,
    ),
    _svm_call("test_connection", "POST", f"{_INFRASTRUCTURES}/testConnection", "Testing a connection", body=True),
    _svm_call("connect", "POST", _INFRASTRUCTURES, "Connecting an infrastructure", body=True),
    _svm_call("infrastructure", "GET", _INFRASTRUCTURE, "Connection state"),
    _svm_call("disconnect", "DELETE", _INFRASTRUCTURE, "Deleting connection settings"),
    _svm_call("refresh", "POST", f"{_INFRASTRUCTURE}/refresh", "Information about infrastructure objects"),
    _svm_call(
        "objects",
        "GET",
        f"{_INFRASTRUCTURE}/objects",
        "Information about infrastructure objects",
        "objectTypes",
        "outputType",
        "parentId",
    ),
    _svm_call("object", "GET", f"{_INFRASTRUCTURE}/objects/{{object_id}}", "Information about infrastructure objects"),
    _svm_call("register_image", "POST", f"{_SVMS}images/register/manifest", "Registering an SVM image", body=True),
    _svm_call(
        "validate_image",
        "PUT",
        f"{_SVMS}images/{{image_id}}/validate",
        "Verifying an SVM image",
        task_types=("ValidateSvmImage",),
    ),
    *(
        _svm_call(
            name, method, _SVMS, topic, body=True, task_types=(f"{verb}MultipleSvm", f"{verb}MultipleOpenStackSvm")
        )
        for name, method, topic, verb in (
            ("deploy", "POST", "Deploying SVMs", "Deploy"),
            ("reconfigure", "PUT", "Reconfiguring SVMs", "Config"),
            ("remove", "DELETE", "Removing SVMs", "Delete"),
        )
    ),
    _svm_call("svm_task", "GET", f"{_V3}/virtualization/tasks/{{task_id}}", "SVM deployment task"),
)
UNDOCUMENTED_LISTS = {"infrastructures": _INFRASTRUCTURES, "images": f"{_SVMS}images"}
"""Calls that no page describes: the client may ask, and takes a refusal for an answer."""

ROWS: tuple[Row, ...] = tuple(row for call in CALLS for row in rows_of(call))
SVM_MANAGEMENT_ROWS: tuple[Row, ...] = tuple(row for call in SVM_MANAGEMENT_CALLS for row in rows_of(call))
CALL_BY_NAME = {call.name: call for call in (*CALLS, *SVM_MANAGEMENT_CALLS)}
ERROR_CODES = frozenset(row.code for row in ROWS if row.code is not None)
