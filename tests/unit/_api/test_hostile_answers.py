# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that no server should send: each ends in a result or in an error of the collection."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.answers import CannedSession, multitenancy, svm_management
from support.web import Reply, WebServer, settings

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management import login
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.svm_management.calls import SvmManagementApi
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import KsvlaError, UnexpectedAnswer
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import (
    Answer,
    find_error_code,
    find_message,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import Connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.failures import refusal
from simulator.tls import Tls

Read = Callable[[bytes], Any]
XML_READERS: dict[str, Read] = {
    "tenants": lambda body: multitenancy(body).tenants(),
    "tenant": lambda body: multitenancy(body).tenant("t"),
    "vms": lambda body: multitenancy(body).vms("t"),
    "task": lambda body: multitenancy(body).task("t"),
    "tasks": lambda body: multitenancy(body).tasks(),
}
JSON_READERS: dict[str, Read] = {
    "infrastructure": lambda body: SvmManagementApi(CannedSession(body)).infrastructure("i"),
    "task": lambda body: SvmManagementApi(CannedSession(body)).task("t"),
}
OTHER_READERS: dict[str, Read] = {
    "task id": lambda body: multitenancy(body).activate_tenant("t"),
    "error body": lambda body: refusal("GET /a", Answer(400, {}, body)),
}
LEVELS = 1_000_000
DEEP = {
    "xml": b"<a>" * LEVELS + b"</a>" * LEVELS,
    "xml without an end": b"<a>" * LEVELS,
    "json lists": b"[" * LEVELS + b"]" * LEVELS,
    "json objects": b'{"error":' * LEVELS + b"1" + b"}" * LEVELS,
    "json for any recursion limit": b'{"id":' * 150 + b"1" + b"}" * 150,
    "xml for any recursion limit": b"<task>" * 150 + b"</task>" * 150,
}


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("read", [*XML_READERS.values(), *JSON_READERS.values()], ids=[*XML_READERS, *JSON_READERS])
def test_what_nests_too_deeply_cannot_be_read(read: Read, body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer):
        read(body)


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("read", OTHER_READERS.values(), ids=OTHER_READERS)
def test_what_nests_too_deeply_names_nothing(read: Read, body: bytes) -> None:
    started = time.process_time()
    with contextlib.suppress(UnexpectedAnswer):
        read(body)
    assert time.process_time() - started < 5


def test_a_login_that_nests_too_deeply(server: WebServer, tls: Tls) -> None:
    server.replies = [Reply(body=DEEP["json objects"])]
    connection = Connection(settings(host=server.host, port=server.port, ca_path=str(tls.ca_path)))
    with pytest.raises(UnexpectedAnswer):
        login.authenticate(connection)
    connection.close()


@pytest.mark.parametrize("read", XML_READERS.values(), ids=XML_READERS)
def test_entities_are_refused(read: Read) -> None:
    for declared in (
        '<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">',
        '<!ENTITY a SYSTEM "file:///etc/passwd">',
        '<!ENTITY % a SYSTEM "http://192.0.2.1/x"> %a;',
    ):
        with pytest.raises(UnexpectedAnswer, match="entities are declared"):
            read(f"<!DOCTYPE t [{declared}]><t>&a;</t>".encode())


_WORDS = st.sampled_from(
    ["<task>", "</task>", "<tenant ", 'id="', '">', "<vm", "/>", "<![CDATA[", "]]>", "&lt;", "&#0;", "{", "}", "[", "]",
     '"id":', ",", "VIRMT_X", "<error>", "nil", "xmlns:a=", "<html>", "\x00", "\ufeff", "1e999", "NaN", "\ud7ff"]
)  # fmt: skip


@given(st.binary() | st.lists(_WORDS | st.text(max_size=5), max_size=30).map(lambda words: "".join(words).encode()))
@example(b"\xff\xfe<\x00")
@example(b'{"accessToken": {"value": null}}')
def test_any_bytes_end_in_a_result_or_an_error_of_the_collection(body: bytes) -> None:
    for read in (*XML_READERS.values(), *JSON_READERS.values(), *OTHER_READERS.values()):
        with contextlib.suppress(KsvlaError):
            read(body)
    text = body.decode("utf-8", "replace")
    find_message(text, find_error_code(text))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["id", "state", "result", "parameters", "children", "error", "message", "accessToken", "value", "session",
             "infrastructureId", "connectionInfo", "admin", "readonly", "status", "connectionError", "regions", "details",
             "locations", "vms", "manifest", "hypervisors", "svmId"]
        ),
        inner,
        max_size=5,
    ),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_any_json_ends_in_a_result_or_an_error_of_the_collection(value: Any) -> None:
    api = svm_management(value)
    calls: list[Callable[[], object]] = [
        lambda: api.task("t"),
        lambda: api.infrastructure("i"),
        api.infrastructures,
        lambda: api.objects("i"),
        lambda: api.certificate("h:443", "https"),
        api.images,
        lambda: refusal("GET /a", Answer(400, {}, json.dumps(value).encode())),
    ]
    for call in calls:
        with contextlib.suppress(KsvlaError):
            call()


_MEASURED = """
import re, resource, sys
from support.answers import CannedSession, multitenancy, SvmManagementApi
body = b"".join([{head!r}, *({item!r} % (i, i) for i in range({count})), {tail!r}])
before = resource.getrusage(resource.RUSAGE_SELF)
found = {read}
after = resource.getrusage(resource.RUSAGE_SELF)
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read()).group(1)  # ru_maxrss includes the parent's.
print(len(body), len(found), int(peak) / 1024, after.ru_utime - before.ru_utime)
"""
_VM = (
    b'<vm id="%08x-89ab-cdef-0123-456789abcdef" biosId="%08x-89ab-cdef-0123-456789abcdef"><name>machine.example.com</name>'
    b"<userData><![CDATA[" + b"x" * 60 + b"]]></userData><created>2026-01-01T00:00:00</created></vm>\n"
)


@pytest.mark.parametrize(
    "script",
    [
        {"head": b"<vms>", "item": _VM, "tail": b"</vms>", "read": "multitenancy(body).vms('t')", "count": 100_000},
        {"head": b'{"vms": [', "tail": b"0]}", "count": 200_000,
         "item": b'{"id": "%08x", "name": "machine-%d", "isSvm": false, "powerState": {"value": "on", "since": null}},',
         "read": "SvmManagementApi(CannedSession(body)).objects('i').vms"},
    ],
    ids=["100,000 machines in XML", "20 MB of JSON"],
)  # fmt: skip
def test_large_answers_are_read_in_little_memory(script: dict[str, Any]) -> None:
    """Figures of a process of its own; the time leaves room for a machine that does other things too."""
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}\n" + _MEASURED.format(**script)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent)
    size, found, mib, seconds = map(float, done.stdout.split())
    assert size > 18_000_000
    assert found >= script["count"]
    assert mib < 300
    assert seconds < 10
