# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls of API 3.0 and nothing else: what is sent, and what each answer holds.

One method per call of the reference, "Using the Integration Server REST API in SVM management scenarios". No call here
waits, compares or decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Optional

from ..._errors import ApiError, UnexpectedAnswer
from ..._transport.answer import Answer
from ..._transport.connection import Query, Request, encode_segment
from ..shapes import objects, task_id_in
from ..tasks import Api, ServerTask, read_task
from . import json, records
from .records import Certificate, Image, Infrastructure, InfrastructureObjects

_BASE = "/api/3.0"
_INFRASTRUCTURES = f"{_BASE}/infrastructures"
_SVMS = f"{_BASE}/management/deployment/svm/"
"""With its trailing slash, as the pages write it."""
_READ = {"Accept": "application/json"}
_WRITE = {"Accept": "application/json", "Content-Type": "application/json; charset=utf-8"}
_MAY_PASS = frozenset({429, 502, 503, 504})
"""Statuses of a server that is busy, which say nothing about whether it has a call."""
_LISTS_OR_NOT = frozenset({401, *_MAY_PASS})
"""Statuses that are errors of any call; every other one means that the server does not have this one."""


class SvmManagementApi(Api):
    """API 3.0 of one Integration Server: certificates, infrastructures, images, SVMs, and tasks."""

    def certificate(self, address: str, kind: str) -> Certificate:
        """Return what an address presents ("Obtaining a virtual infrastructure certificate").

        :param address: ``address:port``.
        :param kind: ``https`` or ``ssh``.
        """
        path = "sshConfig/getSshKey" if kind == "ssh" else "sslConfig/getCertificate"
        found = records.certificate(self._read(f"{_BASE}/{path}", [("address", address)]))
        if not found.thumbprint:
            raise UnexpectedAnswer("The server gave a certificate without its thumbprint.")
        return found

    def trust(self, address: str, thumbprint: str) -> None:
        wanted = {"address": address, "thumbprint": thumbprint}
        self._write("POST", f"{_BASE}/sslConfig/certificateValidator/rules", wanted)

    def test_connection(self, wanted: Mapping[str, Any]) -> Infrastructure:
        """Try the connection with an OpenStack infrastructure and its microservices; nothing is kept of it."""
        answer = self._write("POST", f"{_INFRASTRUCTURES}/testConnection", wanted, safe=True)
        return records.infrastructure(json.read_object(answer))

    def connect(self, wanted: Mapping[str, Any]) -> Infrastructure:
        """Add an infrastructure; the connection is made after that."""
        found = records.infrastructure(json.read_object(self._write("POST", _INFRASTRUCTURES, wanted)))
        if not found.id:
            raise UnexpectedAnswer("The server added the infrastructure, but did not give its id.")
        return found

    def infrastructure(self, infrastructure_id: str) -> Infrastructure:
        found = records.infrastructure(self._read(_path(infrastructure_id)))
        return found if found.id else replace(found, id=infrastructure_id)

    def infrastructures(self) -> Optional[list[Infrastructure]]:
        """List the infrastructures, or return None: this call is not documented, and a server may not have it."""
        items = self._list(_INFRASTRUCTURES, ("infrastructure_id", "address"))
        found = None if items is None else [records.infrastructure(item) for item in items]
        return None if found is None or not all(one.id and one.type and one.address for one in found) else found

    def refresh(self, infrastructure_id: str) -> None:
        """Let the server read an infrastructure again ("Getting information about infrastructure objects …")."""
        self._session.write(Request("POST", f"{_path(infrastructure_id)}/refresh", headers=_READ), safe=True)

    def disconnect(self, infrastructure_id: str) -> None:
        """Remove an infrastructure ("Deleting infrastructure connection settings")."""
        self._session.write(Request("DELETE", _path(infrastructure_id), headers=_READ), safe=True)

    def objects(
        self,
        infrastructure_id: str,
        *,
        object_types: Sequence[str] = (),
        output_type: Optional[str] = None,
        parent_id: Optional[str] = None,
    ) -> InfrastructureObjects:
        """List objects of an infrastructure; what is not given is left to the server's defaults.

        :param object_types: ``Host``, ``OpenstackDomain``, ``OpenstackProject``, ``VM``, ``SVM``.
        :param output_type: ``GeneralInfo`` or ``DetailedInfo``.
        """
        given = (("objectTypes", tuple(object_types)), ("outputType", output_type), ("parentId", parent_id))
        query = [(name, value) for name, value in given if value]
        found = self._read(f"{_path(infrastructure_id)}/objects", query)
        return InfrastructureObjects(objects(found.get("locations")), objects(found.get("vms")))

    def object(self, infrastructure_id: str, object_id: str) -> dict[str, Any]:
        """Return one object in full; an unknown id is an :class:`ApiError` with status 404."""
        return self._read(f"{_path(infrastructure_id)}/objects/{encode_segment(object_id)}")

    def register_image(self, manifest_url: str, types: Sequence[str]) -> Image:
        """Register an SVM image by its description ("SVM image registration request")."""
        wanted = {"manifestUrl": manifest_url, "hypervisors": [{"type": each} for each in types]}
        found = records.image(json.read_object(self._write("POST", f"{_SVMS}images/register/manifest", wanted)))
        if not found.id:
            raise UnexpectedAnswer("The server registered the image, but did not give its id.")
        return found

    def images(self) -> Optional[list[Image]]:
        """List the images, or return None: this call is not documented, and a server may not have it."""
        items = self._list(f"{_SVMS}images", ("id",))
        return None if items is None else [records.image(item) for item in items]

    def validate_image(self, image_id: str) -> str:
        """Start a task ``ValidateSvmImage`` ("Verifying the authenticity of the SVM image") and return its id.

        It changes nothing, so that it does no harm when its answer is lost and it is sent again.
        """
        path = f"{_SVMS}images/{encode_segment(image_id)}/validate"
        return task_id_in(self._session.write(Request("PUT", path, headers=_READ), safe=True))

    def change_svms(self, method: str, wanted: Mapping[str, Any]) -> str:
        """Start a task that deploys (POST), reconfigures (PUT) or removes (DELETE) SVMs, and return its id."""
        return task_id_in(self._write(method, _SVMS, wanted))

    def task(self, task_id: str) -> ServerTask:
        """Return one task with its children ("SVM deployment task")."""
        found = read_task(self._read(f"{_BASE}/virtualization/tasks/{encode_segment(task_id)}"))
        if not found.id:
            raise UnexpectedAnswer("The server gave a task without its id.")
        return found

    def _read(self, path: str, query: Query = ()) -> dict[str, Any]:
        return json.read_object(self._session.read(path, query, headers=_READ))

    def _write(self, method: str, path: str, wanted: Mapping[str, Any], *, safe: bool = False) -> Answer:
        return self._session.write(Request(method, path, headers=_WRITE, body=json.body(wanted)), safe=safe)

    def _list(self, path: str, needed: Sequence[str]) -> Optional[list[dict[str, Any]]]:
        """Return the objects of a list that no page documents, or None when the server does not have it.

        What is not a list is read once more: it may have arrived garbled.
        """
        for _time in range(2):
            try:
                answer = self._session.read(path, headers=_READ, passing=_MAY_PASS)
                return json.listed(json.read(answer), needed)
            except UnexpectedAnswer:
                continue
            except ApiError as error:
                if error.status in _LISTS_OR_NOT:
                    raise
                break
        return None


def _path(infrastructure_id: str) -> str:
    return f"{_INFRASTRUCTURES}/{encode_segment(infrastructure_id)}"
