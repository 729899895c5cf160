# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 2.0: what is sent arrives as it is, any shape of what comes back is read, and what an answer means that says little."""

from __future__ import annotations

import base64
import contextlib
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from xml.parsers import expat
from xml.sax.saxutils import escape

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.answers import CannedSession, multitenancy
from support.strategies import any_case_uuids, filled_texts, uuids, xml_texts
from support.web import Reply, WebServer

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.calls import (
    TENANT_NOT_FOUND,
    VM_ALREADY_EXISTS,
    VM_NOT_FOUND,
    MultitenancyApi,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._api.multitenancy.formats import NewTenant
from ansible_collections.ksvla.light_agent.plugins.module_utils._clock import Deadline
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    ApiError,
    InputError,
    KsvlaError,
    UnexpectedAnswer,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from ansible_collections.ksvla.light_agent.plugins.module_utils._validation import require_xml_text

BIOS_ID = "00000000-0000-4000-8000-00000000abcd"
BOM = b"\xef\xbb\xbf"


class Parsed:
    """A document as expat itself reads it: texts by element, attributes by element."""

    def __init__(self, document: bytes) -> None:
        self.texts: dict[str, str] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        self._open: list[str] = []
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = lambda _name: self._open.pop()
        parser.CharacterDataHandler = self._characters
        parser.Parse(document, True)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(name)
        path = "/".join(self._open)
        assert path not in self.texts
        self.texts[path] = ""
        self.attributes[path] = attributes

    def _characters(self, data: str) -> None:
        self.texts["/".join(self._open)] += data


# ---- writing ----------------------------------------------------------------------------------------------------------


def _sent(call: Callable[[MultitenancyApi], object]) -> bytes:
    """The body that a call sends."""
    session = CannedSession('<task id="1"/>')
    call(MultitenancyApi(session))
    return bytes(session.sent[0].body)


@given(filled_texts, xml_texts, xml_texts, st.sampled_from(["complete", "simple"]), filled_texts, st.text(min_size=1))
@example("\r\n&#13; ", "<\r>", "\r\n]]>\r]]]]>>&#13; ", "simple", "a", "b")
def test_the_body_that_creates_a_tenant(
    name: str, description: str, user_data: str, kind: str, username: str, password: str
) -> None:
    assume(password.encode("utf-8", "replace").decode() == password)
    tenant = NewTenant(name, description, user_data, "192.0.2.1", kind, username, password)
    parsed = Parsed(_sent(lambda api: api.create_tenant(tenant)))
    expected = {
        "tenant": "",
        "tenant/name": name,
        "tenant/description": description,
        "tenant/userData": user_data,
        "tenant/preferredViisAddress": "192.0.2.1",
        "tenant/type": kind.capitalize(),
        "tenant/vKsc": "",
        "tenant/vKsc/user": "",
        "tenant/vKsc/user/name": username,
        "tenant/vKsc/user/password": base64.b64encode(password.encode()).decode(),
    }
    assert parsed.texts == {
        path: text for path, text in expected.items() if text or path.endswith(("tenant", "vKsc", "user"))
    }


@given(any_case_uuids, xml_texts, xml_texts)
def test_the_body_that_registers_a_virtual_machine(bios_id: str, name: str, user_data: str) -> None:
    parsed = Parsed(_sent(lambda api: api.register_vm("t", bios_id, name, user_data)))
    assert parsed.attributes["vm"] == {"biosId": bios_id}
    expected = {"vm": "", "vm/name": name, "vm/userData": user_data}
    assert parsed.texts == {path: text for path, text in expected.items() if text or path == "vm"}


def test_nothing_that_was_not_given_is_sent() -> None:
    assert _sent(lambda api: api.create_tenant(NewTenant("A"))) == b"<tenant><name>A</name></tenant>"
    assert _sent(lambda api: api.register_vm("t", "b", None, None)) == b'<vm biosId="b"></vm>'


def test_the_password_is_not_shown() -> None:
    assert "secret" not in repr(NewTenant("A", admin_password="secret"))


@given(st.text())
def test_a_text_is_refused_if_and_only_if_xml_cannot_carry_it(value: str) -> None:
    try:
        carried = Parsed(f"<e>{_escaped(value)}</e>".encode()).texts == {"e": value}
    except (expat.ExpatError, UnicodeEncodeError):
        carried = False
    # Expat is lenient about two noncharacters that XML excludes.
    carried = carried and not set("\ufffe\uffff") & set(value)
    try:
        require_xml_text(value, "name")
        accepted = True
    except InputError:
        accepted = False
    assert accepted == carried


# ---- shapes -----------------------------------------------------------------------------------------------------------

_NAMES = st.sampled_from(["answer", "tenants", "ArrayOfTenant", "list", "Data.Items", "r-1", "ответ"])
_PREFIXES = st.sampled_from(["", "", "n", "ns-1"])


@st.composite
def _dressed(draw: st.DrawFn, inside: str, prefix: str) -> bytes:
    """A document around elements: roots, declaration, byte-order mark, namespace, comments and white space."""
    for _depth in range(draw(st.integers(1, 4))):
        name = draw(_NAMES)
        inside = f"<{name}>{draw(st.sampled_from(['', chr(10) + '  ', '<!-- note -->']))}{inside}</{name}>"
    space = f' xmlns:{prefix}="urn:x"' if prefix else draw(st.sampled_from(["", ' xmlns="urn:y"', ' xmlns:i="urn:z"']))
    document = f"<document{space}>{inside}</document>"
    encoding = draw(st.sampled_from(["", "utf-8", "UTF-8", "utf-16"]))
    declaration = (
        f'<?xml version="1.0" encoding="{encoding}"?>\n'
        if encoding
        else draw(st.sampled_from(["", '<?xml version="1.0"?>']))
    )
    if encoding == "utf-16":
        return (declaration + document).encode("utf-16")
    return draw(st.sampled_from([b"", BOM])) + (declaration + document).encode() + draw(st.sampled_from([b"", b"\n"]))


def _escaped(text: str) -> str:
    return escape(text, {"\r": "&#13;"})


def _tag(prefix: str, name: str) -> str:
    return f"{prefix}:{name}" if prefix else name


@st.composite
def _lists(draw: st.DrawFn) -> tuple[list[tuple[str, str, str]], bytes]:
    """Virtual machines, and a document that holds them."""
    prefix = draw(_PREFIXES)
    vms = draw(st.lists(st.tuples(uuids, xml_texts, xml_texts), max_size=4))
    vm, name, data = (_tag(prefix, each) for each in ("vm", "name", "userData"))
    elements = []
    for bios_id, text, user_data in vms:
        written = f"<{name}>{_escaped(text)}</{name}>" + f"<{data}>{_escaped(user_data)}</{data}>"
        if draw(st.booleans()):
            elements.append(f'<{vm} biosId="{bios_id}" id="i">{written}</{vm}>')
        else:
            elements.append(f"<{vm}><biosId>{bios_id}</biosId><id>i</id>{written}</{vm}>")
    return vms, draw(_dressed("".join(elements), prefix))


@given(_lists())
def test_a_list_is_read_in_any_shape(listed: tuple[list[tuple[str, str, str]], bytes]) -> None:
    vms, document = listed
    read = multitenancy(document).vms("t")
    assert [(vm.bios_id, vm.name, vm.user_data) for vm in read] == vms
    assert all(vm.id == "i" for vm in read)


@given(st.sampled_from(["tenant", "vm", "task"]), _PREFIXES, st.data())
def test_an_empty_list_in_any_shape(name: str, prefix: str, data: st.DataObject) -> None:
    tag = _tag(prefix, name + "s")
    document = data.draw(_dressed(data.draw(st.sampled_from(["", f"<{tag}/>", f"<{tag}> </{tag}>"])), prefix))
    assert multitenancy(document).tenants() == multitenancy(document).vms("t") == multitenancy(document).tasks() == []


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_no_body_is_an_empty_list(body: bytes) -> None:
    api = multitenancy(body)
    assert api.tenants() == api.vms("t") == api.tasks() == []


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")))
def test_what_is_no_xml_is_a_clear_error(body: bytes) -> None:
    api = multitenancy(body)
    for read in (api.tenants, api.tasks, lambda: api.task("t"), lambda: api.tenant("t")):
        try:
            read()
        except UnexpectedAnswer as error:
            refusal = error.message
        else:
            continue
        assert "server's answer" in refusal


@pytest.mark.parametrize("mark", [b"", BOM])
@pytest.mark.parametrize("declared", ["utf-16", "UTF-16", "utf16"])
def test_what_calls_itself_utf_16_may_be_utf_8(mark: bytes, declared: str) -> None:
    body = mark + f'<?xml version="1.0" encoding="{declared}"?><tenant id="1"><name>Север</name></tenant>'.encode()
    assert multitenancy(body).tenant("t").name == "Север"


@pytest.mark.parametrize("mark", [b"", BOM])
def test_the_id_of_a_task_has_no_braces(mark: bytes) -> None:
    body = mark + b'<?xml version="1.0"?><task id="{5A1D1D0C-0000-4000-8000-000000000001}"/>'
    assert multitenancy(body).activate_tenant("t") == "5A1D1D0C-0000-4000-8000-000000000001"


def test_an_id_in_braces_is_the_same_without() -> None:
    bios_id = "423a5c11-9f6e-4f3b-8c61-b0d7a2f4c9e1"
    (vm,) = multitenancy(f'<vms><vm id="{{v}}" biosId=" {{{bios_id}}} "/></vms>'.encode()).vms("t")
    assert (vm.id, vm.bios_id) == ("v", bios_id)
    assert multitenancy(b'<tenant id="{t}"/>').tenant("t").id == "t"


def test_a_web_page_is_no_answer() -> None:
    with pytest.raises(UnexpectedAnswer, match="web page") as caught:
        multitenancy(b"<html><body>Welcome</body></html>").tenants()
    assert "host and port" in (caught.value.hint or "")


@pytest.mark.parametrize("body", [b"<tasks/>", b"<task/>", b"<a><b/></a>"])
def test_one_task_that_is_not_there(body: bytes) -> None:
    with pytest.raises(UnexpectedAnswer, match="holds no task"):
        multitenancy(body).task("t")


def test_one_tenant_that_is_not_there() -> None:
    with pytest.raises(UnexpectedAnswer, match="holds no tenant"):
        multitenancy(b"<answer/>").tenant("t")


# ---- records ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", [b"vKsc", b"vKSC"])
def test_a_tenant_with_everything(server: bytes) -> None:
    body = (
        b'<tenant id=" t " created="2026-01-01T00:00:00" updated="2026-01-02T00:00:00"><name> A </name>'
        b"<description>d</description><userData><![CDATA[<u>]]></userData>"
        b'<vKsc id="k"><user><name>keeper</name></user></vKsc><status>Active</status><type>Complete</type></tenant>'
    )
    tenant = multitenancy(body.replace(b"vKsc", server)).tenant("t")
    assert tenant.as_dict() == {
        "id": "t", "name": " A ", "description": "d", "user_data": "<u>", "type": "complete", "status": "active",
        "created": "2026-01-01T00:00:00", "updated": "2026-01-02T00:00:00", "virtual_server_id": "k",
        "admin_username": "keeper",
    }  # fmt: skip


def test_a_tenant_with_little() -> None:
    tenant = multitenancy(b"<Tenant ID='t'><Name>A</Name><vKsc/><type/></Tenant>").tenant("t")
    assert (tenant.id, tenant.name, tenant.description, tenant.type, tenant.virtual_server_id) == (
        "t",
        "A",
        "",
        None,
        None,
    )


def test_a_task_with_everything() -> None:
    task = multitenancy(
        b'<task id="p" created="c" stateChanged="s" changed="l"><state>Failed</state><type>T</type><stage>S</stage>'
        b"<progress>45.5 %</progress><error><code>KSC_X</code><message>no room</message></error>"
        b'<parameters><parameter key="deployStepName" value="Upload"/><parameter><name>n</name><value>v</value></parameter>'
        b"<other>o</other></parameters>"
        b'<children><task id="c1"><state>Running</state><children><task id="c2"/></children></task></children></task>'
    ).task("t")
    assert (task.id, task.state, task.type, task.stage, task.progress) == ("p", "Failed", "T", "S", 46)
    assert (task.created, task.state_changed, task.last_changed) == ("c", "s", "l")
    assert (task.error_code, task.error) == ("KSC_X", "no room")
    assert task.parameters == {"deploy_step_name": "Upload", "n": "v", "other": "o"}
    assert [child.id for child in task.children] == ["c1"]
    assert [child.id for child in task.children[0].children] == ["c2"]
    assert task.children[0].children[0].state == "unknown"


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ("<error>VIRMT_X: no</error>", "VIRMT_X", "no"),
        ("<error>no</error>", None, "no"),
        ('<error code="VIRMT_X">no</error>', "VIRMT_X", "no"),
        ('<error code="VIRMT_X" message="no"/>', "VIRMT_X", "no"),
        ("<error><errorMessage>VIRMT_X - no</errorMessage></error>", "VIRMT_X", "no"),
        ("<error>VIRMT_X</error>", "VIRMT_X", "VIRMT_X"),
        ('<error>{"code": "VIRMT_X", "message": "no"}</error>', "VIRMT_X", "no"),
        ("<error>&lt;error code='VIRMT_X'>no&lt;/error></error>", "VIRMT_X", "no"),
        ('<error>"no"</error>', None, "no"),
        ('<error>"A" is no name</error>', None, '"A" is no name'),
        ('<error code="400"><message>VIRMT_X: no</message></error>', "VIRMT_X", "no"),
        ('<error type="VIRMT_X"><message>no</message></error>', "VIRMT_X", "no"),
        ("<error><message>no</message><inner><code>KSC_X</code></inner></error>", "KSC_X", "no"),
        ('<error code="400">no</error>', "400", "no"),
        ("<errorCode/><error/>", None, None),
        ("<result>VIRMT_X: no</result>", "VIRMT_X", "no"),
        ("<result>not possible</result>", None, "not possible"),
        ("<result>false</result>", None, None),
        ("<error/>", None, None),
        ("", None, None),
    ],
)
def test_the_error_of_a_task(error: str, code: str | None, message: str | None) -> None:
    task = multitenancy(f"<task id='t'><state>Failed</state>{error}</task>".encode()).task("t")
    assert (task.error_code, task.error) == (code, message)


def test_a_result_that_is_packed_into_a_text() -> None:
    packed = "&lt;tenant id='t1'>&lt;userData>{&quot;a&quot;: 1}&lt;/userData>&lt;/tenant>"
    task = multitenancy(f"<task id='t'><state>Completed</state><result>{packed}</result></task>".encode()).task("t")
    assert task.result == {"tenant": {"id": "t1", "user_data": '{"a": 1}'}}


def test_what_a_serializer_writes_for_no_value() -> None:
    task = multitenancy(
        b'<task xmlns="urn:s" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" id="t"><state>Completed</state>'
        b'<stage i:nil="true"/><result xmlns:x="urn:x">r</result><error i:nil="true"/></task>'
    ).task("t")
    assert (task.stage, task.result, task.error, task.error_code) == (None, "r", None, None)
    failed = multitenancy(
        b'<task xmlns:i="urn:i" id="t"><state>Failed</state><error xmlns:a="urn:a">no</error><result i:nil="1"/></task>'
    ).task("t")
    assert (failed.result, failed.error) == (None, "no")
    tenant = multitenancy(
        b'<tenant xmlns:i="urn:i" id="t"><name>A</name><description i:nil="true"/><vKsc i:nil="true"/></tenant>'
    ).tenant("t")
    assert (tenant.description, tenant.virtual_server_id) == ("", None)


@pytest.mark.parametrize(
    ("text", "progress"), [("", None), ("x", None), ("1e999", None), (" 12 ", 12), ("99.6", 100), ("7%", 7)]
)
def test_progress(text: str, progress: int | None) -> None:
    assert multitenancy(f"<task id='t'><progress>{text}</progress></task>".encode()).task("t").progress == progress


# ---- ids --------------------------------------------------------------------------------------------------------------

_TASK_SHAPES = [
    '<task id="{id}"/>',
    '<?xml version="1.0"?><task xmlns="urn:x" id="{id}"><state>Created</state></task>',
    '<answer><x><n:task xmlns:n="urn:x" id="{id}"/></x></answer>',
    "<task><id>{id}</id></task>",
    "<taskId>{id}</taskId>",
    "<answer><tenant id='00000000-0000-4000-8000-000000000000'/><taskId>{id}</taskId></answer>",
    "<string>{id}</string>",
    '<string xmlns="http://schemas.microsoft.com/2003/10/Serialization/">{id}</string>',
    "<a><b> {id}\n</b></a>",
    "{id}",
    " {id}\n",
    '"{id}"',
    '{{"id": "{id}"}}',
    '{{"taskId": "{id}", "state": "Created"}}',
    '{{"task": {{"id": "{id}"}}}}',
    '{{"children": [{{"id": "another-1"}}], "id": "{id}"}}',
    '<task><children><task id="another-1"/></children><id>{id}</id></task>',
    '\ufeff<task id="{id}"/>',
    "&lt;task id=&quot;{id}&quot;/&gt;",
    '<result>&lt;task id="{id}"/&gt;</result>',
    "Task {id} was created.",
]


@given(any_case_uuids, st.sampled_from(_TASK_SHAPES))
def test_the_id_of_a_task_in_any_shape(task_id: str, shape: str) -> None:
    assert multitenancy(shape.format(id=task_id)).activate_tenant("t") == task_id


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1).filter(str.strip)
    | any_case_uuids.map("{{{}}}".format),
    st.sampled_from(["/api/2.0/virtualization/tasks/{}", "https://h:1/x/tasks/{}/", "/tasks/{}?a=b", "/TASKS/{}#x"]),
)
def test_the_id_of_a_task_in_a_location(task_id: str, location: str) -> None:
    headers = {"location": location.format(quote(task_id, safe=""))}
    assert multitenancy('<task id="another"/>', headers).activate_tenant("t") == task_id.strip().strip("{}")


_PAGE = "<html><body><p>Request {}<br>Bad gateway</body></html>"


@pytest.mark.parametrize(
    "body",
    [
        "", "<accepted/>", "<a>two words</a>", "{}", "[]", "<a><b>x</b><c>y</c></a>",
        _PAGE.format(uuid.UUID(int=1)), "<!DOCTYPE html>\n" + _PAGE.format(uuid.UUID(int=1)).replace("<br>", ""),
    ],
)  # fmt: skip
def test_no_id_of_a_task_is_an_error(body: str) -> None:
    with pytest.raises(UnexpectedAnswer, match="did not say which task") as caught:
        multitenancy(body, {"location": "/elsewhere/1"}).activate_tenant("t")
    assert "ksvla_task_info" in (caught.value.hint or "")


@given(st.binary(max_size=80))
def test_finding_the_id_of_a_task_never_fails_otherwise(body: bytes) -> None:
    with contextlib.suppress(KsvlaError):
        assert multitenancy(body).activate_tenant("t")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
)


@given(_JSON)
def test_the_id_of_a_task_is_looked_for_in_any_json(value: Any) -> None:
    with contextlib.suppress(KsvlaError):
        assert multitenancy(json.dumps(value)).activate_tenant("t").strip()


# ---- answers without a body, and what the calls say ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error_code"),
    [
        (lambda api: api.tenant("t"), TENANT_NOT_FOUND),
        (lambda api: api.vms("t"), TENANT_NOT_FOUND),
        (lambda api: api.register_vm("t", BIOS_ID, None, None), TENANT_NOT_FOUND),
        (lambda api: api.generate_report("t", None, None), TENANT_NOT_FOUND),
        (lambda api: api.unregister_vm("t", BIOS_ID), VM_NOT_FOUND),
        (lambda api: api.task("t"), None),
        (lambda api: api.tenants(), None),
    ],
)
def test_a_404_without_a_body_has_the_code_that_the_call_knows_for_it(
    call: Callable[[MultitenancyApi], object],
    error_code: str | None,
    server: WebServer,
    connect: Callable[..., Session],
) -> None:
    server.replies = [Reply(404)]
    with pytest.raises(ApiError) as raised:
        call(MultitenancyApi(connect()))
    assert (raised.value.status, raised.value.error_code) == (404, error_code)
    assert "host and port" in str(raised.value.hint)


@pytest.mark.parametrize("remove_artifacts", [True, False])
def test_a_removal_always_says_what_becomes_of_the_artifacts(
    remove_artifacts: bool, server: WebServer, connect: Callable[..., Session]
) -> None:
    server.replies = [Reply(202, b'<task id="t-1"/>')]
    MultitenancyApi(connect()).remove_tenant("t", remove_artifacts=remove_artifacts)
    assert server.received[0].target.endswith(f"/tenants/t?removeTenantArtifacts={str(remove_artifacts).lower()}")


def test_a_conflict_without_a_body_has_the_code_that_the_call_knows_for_it(
    server: WebServer, connect: Callable[..., Session]
) -> None:
    api = MultitenancyApi(connect())
    server.replies = [Reply(409), Reply(409), Reply(405)]
    with pytest.raises(ApiError) as raised:
        api.register_vm("t", BIOS_ID, None, None)
    assert raised.value.error_code == VM_ALREADY_EXISTS
    assert "registered only once" in str(raised.value.hint)
    with pytest.raises(ApiError) as raised:
        api.cancel_task("t")
    assert raised.value.hint == "The task has already ended."
    with pytest.raises(ApiError) as raised:
        api.activate_tenant("t")
    assert raised.value.hint is None


@pytest.mark.parametrize(
    ("date", "query"),
    [
        ("Sun, 01 Mar 2026 10:15:00 GMT", "?createdFrom=2026-02-27T10:15:00&type=CreateTenant"),
        ("yesterday", "?type=CreateTenant"),
        ("", "?type=CreateTenant"),
        (None, "?type=CreateTenant"),
    ],
)
def test_recent_tasks_are_recent_by_the_clock_of_the_server(
    date: str | None, query: str, server: WebServer, connect: Callable[..., Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("http.server.BaseHTTPRequestHandler.date_time_string", lambda _self: date)
    server.replies = [Reply(200, b"<tenants/>"), Reply(200, b"<tasks/>")]
    api = MultitenancyApi(connect())
    if date is not None:
        api.within(Deadline(5)).tenants()
    assert api.recent_tasks("CreateTenant", timedelta(days=2)) == []
    assert server.received[-1].target == f"/api/2.0/virtualization/tasks{query}"
