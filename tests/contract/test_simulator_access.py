# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may call, over which transport, and that nothing undocumented is accepted."""

from __future__ import annotations

import base64
import hashlib
import http.client
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import RunningSimulator, running_simulator

UNKNOWN = "11111111-2222-4333-8444-555555555555"


def test_the_certificate_is_trusted_through_its_authority(simulator: RunningSimulator) -> None:
    context = ssl.create_default_context(cafile=simulator.ca_path)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in ("127.0.0.1", "localhost", "::1"):
        with (
            socket.create_connection(("127.0.0.1", simulator.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            certificate = secure.getpeercert(binary_form=True)
            assert certificate is not None
            assert hashlib.sha256(certificate).hexdigest() == simulator.fingerprint


def test_the_certificate_is_not_trusted_without_its_authority(simulator: RunningSimulator) -> None:
    context = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", simulator.port), timeout=10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_plain_http_gets_no_answer(simulator: RunningSimulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=10)
    connection.request("GET", "/api/2.0/virtualization/tenants")
    with pytest.raises((http.client.HTTPException, OSError)):
        connection.getresponse()
    connection.close()


def test_a_folder_keeps_its_certificate(tmp_path: Path) -> None:
    fingerprints = []
    for _turn in range(2):
        with running_simulator(directory=tmp_path) as simulator:
            fingerprints.append(simulator.fingerprint)
    assert fingerprints[0] == fingerprints[1]
    assert (tmp_path / "server-key.pem").stat().st_mode & 0o077 == 0
    assert (tmp_path / "simulator.env").stat().st_mode & 0o077 == 0
    (tmp_path / "server.pem").unlink()
    with running_simulator(directory=tmp_path) as simulator:
        assert simulator.fingerprint not in fingerprints


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "header",
    [
        None,
        _basic("multitenancy:wrong"),
        _basic("admin:Test-Admin-1"),
        _basic("multitenancy"),
        _basic("Multitenancy:Test-Multitenancy-1"),
        "Basic ???",
        "Bearer something",
        "Basic /w==",
    ],
)
def test_anybody_else_is_denied(client: Any, header: str | None) -> None:
    answer = client.get("/tenants", headers={"Authorization": header})
    assert (answer.status, answer.code) == (403, None)
    assert client.get("/nowhere", headers={"Authorization": header}).status == 403


def test_the_scheme_has_no_case(client: Any) -> None:
    header = client.authorization.replace("Basic", "basic")
    assert client.get("/tenants", headers={"Authorization": header}).status == 200


def test_denied_status_can_be_chosen(simulator: RunningSimulator, client: Any) -> None:
    simulator.configure(denied_status=401)
    assert client.get("/tenants", headers={"Authorization": None}).status == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/tenants/", 404),
        ("PUT", "/tenants", 405),
        ("HEAD", "/tenants", 405),
        ("GET", f"/tenants/{UNKNOWN}/activate", 405),
        ("DELETE", f"/tasks/{UNKNOWN}", 405),
    ],
)
def test_other_paths_and_methods(client: Any, method: str, path: str, status: int) -> None:
    assert client.call(method, path).status == status


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tenants"),
        ("GET", f"/tenants/{UNKNOWN}"),
        ("POST", f"/tenants/{UNKNOWN}/activate"),
        ("POST", f"/tenants/{UNKNOWN}/deactivate"),
        ("DELETE", f"/tenants/{UNKNOWN}"),
        ("GET", f"/tenants/{UNKNOWN}/vms"),
        ("POST", f"/tenants/{UNKNOWN}/vms/register"),
        ("POST", f"/tenants/{UNKNOWN}/vms/unregister"),
        ("GET", "/tasks"),
        ("GET", f"/tasks/{UNKNOWN}"),
        ("POST", f"/tasks/{UNKNOWN}/cancel"),
    ],
)
def test_unknown_parameters_are_refused(client: Any, method: str, path: str) -> None:
    answer = client.call(method, path, query="limit=5")
    assert answer.status == 400
    assert "limit" in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/tenants"),
        ("POST", f"/tenants/{UNKNOWN}/activate"),
        ("DELETE", f"/tenants/{UNKNOWN}"),
        ("POST", f"/tasks/{UNKNOWN}/cancel"),
    ],
)
def test_bodies_are_refused_where_none_is_described(client: Any, method: str, path: str) -> None:
    assert client.call(method, path, "<x/>").status == 400


def test_a_parameter_given_twice_is_refused(client: Any) -> None:
    assert client.get("/tasks", query="type=A&type=B").status == 400


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_bodies_have_to_be_xml(client: Any, bodies: Any, kind: str | None) -> None:
    answer = client.post("/tenants", bodies.tenant("A"), headers={"Content-Type": kind})
    assert answer.status == 415
    assert client.tasks() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<tenant>",
        b"<tenant><name>A</name></tenant>x",
        b"<vm/>",
        b"<tenants><tenant><name>A</name></tenant></tenants>",
        b'<!DOCTYPE tenant [<!ENTITY a "b">]><tenant><name>&a;</name></tenant>',
        b"<tenant><name>\xff</name></tenant>",
        b"<tenant><name>A&#0;</name></tenant>",
        b'<tenant xmlns="urn:x"><name>A</name><surname/></tenant>',
        b"<tenant><name>A</name><color>red</color></tenant>",
        b"<tenant><name>A</name><name>B</name></tenant>",
        b"<tenant><name><b>A</b></name></tenant>",
        b'<tenant><name lang="en">A</name></tenant>',
        b'<tenant id="1"><name>A</name></tenant>',
        b"<tenant>text<name>A</name></tenant>",
        b"<tenant><name>A</name><vKsc><user><name>a</name><password>YQ==</password></user></vKsc></tenant>",
        b"<tenant><name>A</name><status>Active</status></tenant>",
        b"<tenant>" * 40 + b"</tenant>" * 40,
    ],
)
def test_bodies_that_the_pages_do_not_describe(client: Any, body: bytes) -> None:
    answer = client.post("/tenants", body)
    assert (answer.status, answer.code) == (400, None)
    assert client.tasks() == []


@pytest.mark.parametrize(
    ("charset", "encoding"), [("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("utf-16", "utf-16"), (None, "utf-8")]
)
def test_encodings(client: Any, charset: str | None, encoding: str) -> None:
    body = "<tenant><name>Ж</name></tenant>".encode(encoding)
    kind = "application/xml" if charset is None else f"application/xml; charset={charset}"
    assert client.wait(client.post("/tenants", body, headers={"Content-Type": kind})).state == "Completed"
    assert client.tenant_id("Ж")


def test_an_unknown_encoding_is_refused(client: Any, bodies: Any) -> None:
    kind = "application/xml; charset=klingon"
    assert client.post("/tenants", bodies.tenant("A"), headers={"Content-Type": kind}).status == 400
