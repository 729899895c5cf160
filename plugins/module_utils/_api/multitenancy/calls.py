# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of API 2.0 and nothing else: what is sent, and what each answer holds.

One method per call of the reference, "Using the Integration Server REST API in multi-tenancy scenarios"
(topic 199331). No call here waits, compares or decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Callable, Optional, TypeVar

from ..._errors import ApiError, UnexpectedAnswer
from ..._hints import hint_for
from ..._transport.answer import Answer
from ..._transport.connection import Query, Request, encode_segment
from .. import xml
from ..shapes import plain, task_id_in
from ..tasks import Api, ServerTask, read_task
from . import formats, records
from .records import Tenant, VirtualMachine

T = TypeVar("T")
_BASE = "/api/2.0/virtualization"
_READ = {"Accept": "application/xml"}
_WRITE = {"Accept": "application/xml", "Content-Type": "application/xml; charset=utf-8"}
_REPORT = {"Accept": "application/csv"}
"""The pages want this value exactly, for generating a report and for fetching it."""
TENANT_NOT_FOUND = "VIRMT_TenantWithSpecifiedIdNotFound"
TENANT_EXISTS = "VIRMT_TenantWithSpecifiedNameAlreadyExists"
VM_NOT_FOUND = "VIRMT_VmWithSpecifiedIdNotFound"
VM_ALREADY_EXISTS = "VIRMT_VmWithSpecifiedBiosIdAlreadyExists"


class MultitenancyApi(Api):
    """API 2.0 of one Integration Server: tenants, their virtual machines, reports, and tasks."""

    def tenants(self) -> list[Tenant]:
        """List all tenants (topic 259248)."""
        return _records(self._read(f"{_BASE}/tenants"), "tenant", records.tenant)

    def tenant(self, tenant_id: str) -> Tenant:
        """Return one tenant (topic 259247); an unknown id is an :class:`ApiError` with status 404."""
        with _means({404: TENANT_NOT_FOUND}):
            found = _records(self._read(_tenant_path(tenant_id)), "tenant", records.tenant)
        return _first(found, "tenant")

    def create_tenant(self, tenant: formats.NewTenant) -> str:
        """Start a task ``CreateTenant`` (topic 259250) and return its id."""
        return task_id_in(self._write("POST", f"{_BASE}/tenants", body=formats.tenant_body(tenant)))

    def activate_tenant(self, tenant_id: str) -> str:
        """Start a task ``ChangeTenantActivation`` (topic 259251) and return its id."""
        return task_id_in(self._write("POST", f"{_tenant_path(tenant_id)}/activate"))

    def deactivate_tenant(self, tenant_id: str) -> str:
        """Start a task ``ChangeTenantActivation`` (topic 259252) and return its id."""
        return task_id_in(self._write("POST", f"{_tenant_path(tenant_id)}/deactivate"))

    def remove_tenant(self, tenant_id: str, *, remove_artifacts: bool) -> str:
        """Start a task ``DeleteTenant`` (topic 259255) and return its id.

        :param remove_artifacts: Whether the virtual Administration Server, its account and its folder go too; always
            sent, as the pages name no default.
        """
        query = [("removeTenantArtifacts", "true" if remove_artifacts else "false")]
        return task_id_in(self._write("DELETE", _tenant_path(tenant_id), query))

    def vms(self, tenant_id: str) -> list[VirtualMachine]:
        """List the virtual machines registered for a tenant (topic 259249)."""
        return _records(self._vms(tenant_id), "vm", records.vm)

    def count_vms(self, tenant_id: str) -> int:
        """Count the virtual machines registered for a tenant (topic 259249), in a third of the time that records take."""
        return len(xml.read_records(self._vms(tenant_id), "vm", bool))

    def register_vm(self, tenant_id: str, bios_id: str, name: Optional[str], user_data: Optional[str]) -> None:
        """Register a virtual machine for a tenant (topic 259253)."""
        body = formats.vm_body(bios_id, name, user_data)
        with _means({404: TENANT_NOT_FOUND, 409: VM_ALREADY_EXISTS}):
            self._write("POST", f"{_tenant_path(tenant_id)}/vms/register", body=body)

    def unregister_vm(self, tenant_id: str, bios_id: str) -> None:
        """Unregister a virtual machine of a tenant by its BIOS id (topic 259254)."""
        query = [("biosId", bios_id)]
        with _means({404: VM_NOT_FOUND}):
            self._write("POST", f"{_tenant_path(tenant_id)}/vms/unregister", query)

    def generate_report(self, tenant_id: Optional[str], period_start: Optional[str], period_end: Optional[str]) -> str:
        """Start a task ``CreateTenantReport`` (topic 259257) and return its id.

        :param tenant_id: None for all virtual machines, also those of no tenant.
        :param period_start: ``YYYY-MM-DDThh:mm:ss``; None for the earliest record.
        :param period_end: ``YYYY-MM-DDThh:mm:ss``; None for now.
        """
        given = (("tenantId", tenant_id), ("from", period_start), ("to", period_end))
        request = Request("POST", f"{_BASE}/reports/tenants", _given(given), _REPORT)
        with _means({404: TENANT_NOT_FOUND}):
            return task_id_in(self._session.write(request))

    def report(
        self, report_id: str, first: Optional[int] = None, last: Optional[int] = None
    ) -> AbstractContextManager[tuple[int, Mapping[str, str], Iterator[bytes]]]:
        """Give status, headers and body of a report (topic 259258), or of the bytes from first to last of it.

        The status is 206 when the server keeps to the range, and 200 when it sends the whole report.
        """
        span = {} if first is None else {"Range": f"bytes={first}-{'' if last is None else last}"}
        return self._session.stream(f"{_BASE}/reports/tenants/{encode_segment(report_id)}", headers={**_REPORT, **span})

    def task(self, task_id: str) -> ServerTask:
        """Return one task (topic 259259)."""
        return _first(_records(self._read(f"{_BASE}/tasks/{encode_segment(task_id)}"), "task", read_task), "task")

    def tasks(
        self, *, created_from: Optional[str] = None, state: Optional[str] = None, task_type: Optional[str] = None
    ) -> list[ServerTask]:
        """List the tasks that match every filter given (topic 199645)."""
        given = (("createdFrom", created_from), ("state", state), ("type", task_type))
        return _records(self._read(f"{_BASE}/tasks", _given(given)), "task", read_task)

    def recent_tasks(self, task_type: Optional[str], age: timedelta) -> list[ServerTask]:
        """List the tasks of a type, or of any, that were created within that time by the server's own clock (topic 199645).

        Where the server did not say what time it is, all of them.
        """
        created_from = None
        with suppress(TypeError, ValueError, OverflowError):
            now: datetime = parsedate_to_datetime(self._session.connection.date)
            created_from = (now - age).strftime("%Y-%m-%dT%H:%M:%S")
        return self.tasks(created_from=created_from, task_type=task_type)

    def cancel_task(self, task_id: str) -> None:
        """Ask for a task to be canceled (topic 199647); it may go on as ``Stopping`` for a while."""
        path = f"{_BASE}/tasks/{encode_segment(task_id)}/cancel"
        self._session.write(Request("POST", path, headers=_READ), safe=True)

    def _vms(self, tenant_id: str) -> bytes:
        with _means({404: TENANT_NOT_FOUND}):
            return self._read(f"{_tenant_path(tenant_id)}/vms")

    def _read(self, path: str, query: Query = ()) -> bytes:
        return self._session.read(path, query, headers=_READ).body

    def _write(self, method: str, path: str, query: Query = (), body: Optional[bytes] = None) -> Answer:
        return self._session.write(Request(method, path, query, _READ if body is None else _WRITE, body))


def _records(body: bytes, name: str, make: Callable[[dict[str, Any]], T]) -> list[T]:
    return xml.read_records(body, name, lambda element: make(plain(element)))


def _first(found: list[T], name: str) -> T:
    if not found:
        raise UnexpectedAnswer(f"The server's answer about a {name} holds no {name}.")
    return found[0]


def _given(query: Iterable[tuple[str, Optional[str]]]) -> Query:
    return [(name, value) for name, value in query if value is not None]


@contextmanager
def _means(codes: Mapping[int, str]) -> Iterator[None]:
    """Give an error that says nothing but its status the only meaning that the pages know for it in this call."""
    try:
        yield
    except ApiError as error:
        code = codes.get(error.status or 0)
        if code is not None and error.error_code is None:
            error.error_code = code
            error.code_is_assumed = True
            error.hint = hint_for(code)
            if error.status == 404:
                error.hint = f"{error.hint} If it should be there, check host and port; version 5.1 needs update 5.1.2."
        raise


def _tenant_path(tenant_id: str) -> str:
    return f"{_BASE}/tenants/{encode_segment(tenant_id)}"
