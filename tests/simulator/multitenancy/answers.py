# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that hold tenants, virtual machines and tasks, in the shape that is wanted; what was written once is kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aiohttp import web

from simulator.clock import format_date
from simulator.markup import escape
from simulator.multitenancy.model import Tenant, Vm, tenant_element, vm_element
from simulator.multitenancy.store import Store
from simulator.shapes import Shapes
from simulator.tasks import Task, TaskEngine

_PLAIN = ("", "empty")


class Answers:
    """Makes the answers of API 2.0."""

    def __init__(self, shapes: Shapes, store: Store, engine: TaskEngine) -> None:
        self._shapes = shapes
        self._store = store
        self._engine = engine

    # ---- tenants --------------------------------------------------------------------------------------------------

    def tenant(self, tenant: Tenant) -> web.Response:
        """One tenant."""
        dress = self._shapes.pick("shape_document")
        style = (self._shapes.prefix(dress), self._shapes.pick("shape_empty"))
        return self._shapes.document(dress, _tenant(tenant, style))

    def tenants(self) -> web.Response:
        """All tenants."""
        shape = self._shapes.pick("shape_list")
        style = (self._shapes.prefix(shape), self._shapes.pick("shape_empty"))
        joined = self._store.tenants_joined
        listed = self._store.listed(self._engine.time())
        whole = len(listed) == len(self._store.tenants)
        if style != _PLAIN or joined is None or not whole:
            joined = b"".join([_tenant(tenant, style) for tenant in listed])
        if style == _PLAIN and whole:
            self._store.tenants_joined = joined
        return self._list(shape, "tenants", joined)

    # ---- virtual machines -------------------------------------------------------------------------------------------

    def vm(self, vm: Vm) -> web.Response:
        """One virtual machine."""
        dress = self._shapes.pick("shape_document")
        style = (self._shapes.prefix(dress), self._shapes.pick("shape_empty"))
        return self._shapes.document(dress, vm_element(vm, *style))

    def vms(self, tenant: Tenant) -> web.Response:
        """A tenant's virtual machines."""
        shape = self._shapes.pick("shape_list")
        style = (self._shapes.prefix(shape), self._shapes.pick("shape_empty"))
        if style != _PLAIN:
            return self._list(shape, "vms", b"".join([vm_element(vm, *style) for vm in tenant.vms.values()]))
        if tenant.vms_joined is None:
            pieces = []
            for vm in tenant.vms.values():
                if vm.element is None:
                    vm.element = vm_element(vm)
                pieces.append(vm.element)
            tenant.vms_joined = b"".join(pieces)
        return self._list(shape, "vms", tenant.vms_joined)

    # ---- tasks ----------------------------------------------------------------------------------------------------

    def accepted(self, task: Task) -> web.Response:
        """The 202 answer after a task was created."""
        return self._shapes.task_accepted(task.id, self._task(task, _PLAIN))

    def task(self, task: Task, status: int = 200) -> web.Response:
        """One task."""
        dress = self._shapes.pick("shape_document")
        style = (self._shapes.prefix(dress), self._shapes.pick("shape_empty"))
        return self._shapes.document(dress, self._task(task, style), status)

    def tasks(self, tasks: Iterable[Task]) -> web.Response:
        """A list of tasks."""
        shape = self._shapes.pick("shape_list")
        style = (self._shapes.prefix(shape), self._shapes.pick("shape_empty"))
        return self._list(shape, "tasks", b"".join([self._task(task, style) for task in tasks]))

    def _task(self, task: Task, style: tuple[str, str]) -> bytes:
        """A task as XML. Source: 'Getting task information', topic 259259."""
        if not task.ended:
            return self._write_task(task, *style)
        key = (style, self._shapes.version)
        if self._shapes.drawn or key not in task.cache:
            task.cache = {key: self._write_task(task, *style)}
        return task.cache[key]

    def _write_task(self, task: Task, p: str, empty: str) -> bytes:
        created, entered = format_date(task.created), format_date(task.state_changed)
        changed = format_date(self._engine.changed(task))
        pieces = [f'<{p}task id="{task.id}" created="{created}" stateChanged="{entered}" changed="{changed}">']
        pieces.append(
            f"<{p}state>{self._shapes.state_name(task.state)}</{p}state><{p}type>{escape(task.type)}</{p}type>"
        )
        if task.stage is not None or empty != "absent":
            pieces.append(f"<{p}stage>{escape(task.stage or '')}</{p}stage>")
        pieces.append(f"<{p}progress>{self._engine.progress(task)}</{p}progress>")
        if task.error is not None:
            pieces.append(self._shapes.task_error(task.error_code, task.error, p))
        elif task.result is not None:
            pieces.append(f"<{p}result>{self._result(task.result, p, empty)}</{p}result>")
        elif empty != "absent":
            pieces.append(f"<{p}result></{p}result>")
        pieces.append(f"</{p}task>")
        return "".join(pieces).encode()

    def _result(self, result: Any, p: str, empty: str) -> str:
        shape = self._shapes.pick("shape_result")
        if isinstance(result, dict) and len(result) == 1:
            kind, value = next(iter(result.items()))
            if kind == "tenant":
                if shape == "id":
                    return str(value["id"])
                if shape == "escaped":
                    return escape(tenant_element(value, "", empty).decode())
                element = tenant_element(value, p, empty).decode()
                return f"<{p}value>{element}</{p}value>" if shape == "wrapped" else element
            if kind == "report":
                if shape == "escaped":
                    return escape(f'<report id="{value["id"]}"/>')
                return f'<{p}report id="{value["id"]}"/>' if shape == "wrapped" else str(value["id"])
            if shape == "id" and isinstance(value, str):
                return escape(value)
        return _generic(result, p)

    def _list(self, shape: str, root: str, elements: bytes) -> web.Response:
        before, after = self._shapes.list_parts(shape, root)
        return self._shapes.document(shape, b"".join((before, elements, after)))


def _tenant(tenant: Tenant, style: tuple[str, str]) -> bytes:
    element = tenant.elements.get(style)
    if element is None:
        element = tenant.elements[style] = tenant_element(tenant.to_json(with_vms=False), *style)
    return element


def _generic(value: Any, p: str) -> str:
    """A value that JSON can hold as XML: the results of tasks of the other API."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "".join(f"<{p}{name}>{_generic(each, p)}</{p}{name}>" for name, each in value.items())
    if isinstance(value, list):
        return "".join(f"<{p}item>{_generic(each, p)}</{p}item>" for each in value)
    return escape(str(value))
