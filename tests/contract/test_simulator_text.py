# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any text that XML can carry survives: into the simulator, and back out."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.markup import attribute, cdata, escape, parse
from simulator.testing import RunningSimulator

TEXTS = [
    "& < > \" '",
    "]]>",
    "a]]>b]]>",
    "]]]]>>",
    "<![CDATA[x]]>",
    "&amp; &#13;",
    "  leading and trailing  ",
    "\t\n tabs and line feeds \n\t",
    "\r\n and a lone \r",
    "Кириллица",
    "日本語",
    "emoji 🛡️👩‍💻",
    "right to left שלום",
    "\u00a0\u2028\ufeff",
    "--> <!-- ?> <?xml",
    "x" * 10_000,
]
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff")
    .filter(lambda character: character >= " " or character in "\t\n\r")
)  # fmt: skip
SHAPES = ["plain", "bom", "no_declaration", "default_namespace", "prefixed_namespace"]


def _cdata(text: str) -> str:
    """userData as the pages show it, in the test's own words."""
    return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>").replace("\r", "]]>&#13;<![CDATA[") + "]]>"


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_tenants(client: Any, bodies: Any, simulator: RunningSimulator, text: str, shape: str) -> None:
    simulator.configure(shape_document=shape, shape_list=shape)
    body = (
        f"<tenant><name>{bodies.escape(text)}</name><description>{bodies.escape(text)}</description>"
        f"<userData>{_cdata(text)}</userData><type>Complete</type>{bodies.account(text)}</tenant>"
    )
    task = client.wait(client.post("/tenants", body))
    assert task.state == "Completed"
    tenant_id = client.tenant_id(text)
    for tenant in (client.get("/tenants").xml.find("tenant"), client.get(f"/tenants/{tenant_id}").xml):
        for path in ("name", "description", "userData", "vKsc/user/name"):
            assert tenant.findtext(path) == text


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_virtual_machines(client: Any, bodies: Any, text: str) -> None:
    tenant_id = client.new_tenant()
    bios_id = str(uuid.uuid4())
    inside = f"<name>{bodies.escape(text)}</name><userData>{_cdata(text)}</userData>"
    assert client.register(tenant_id, bios_id, inside).status == 200
    vm = client.get(f"/tenants/{tenant_id}/vms").xml.find("vm")
    assert (vm.findtext("name"), vm.findtext("userData")) == (text, text)


@given(XML_TEXT)
@settings(max_examples=300)
def test_what_is_written_can_be_read(text: str) -> None:
    document = f'<a b="{attribute(text)}"><c>{escape(text)}</c><d>{cdata(text)}</d></a>'
    element = parse(document.encode())
    assert element.attributes["b"] == text
    assert element.child_text("c") == text
    assert element.child_text("d") == text


@given(name=XML_TEXT.filter(bool), data=XML_TEXT)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tenants_with_any_text(client: Any, bodies: Any, simulator: RunningSimulator, name: str, data: str) -> None:
    simulator.reset()
    body = f"<tenant><name>{bodies.escape(name)}</name><userData>{_cdata(data)}</userData></tenant>"
    assert client.wait(client.post("/tenants", body)).state == "Completed"
    tenant = client.get("/tenants").xml.find("tenant")
    assert (tenant.findtext("name"), tenant.findtext("userData")) == (name, data)


@pytest.mark.parametrize("shape", ["nested", "escaped", "wrapped"])
@pytest.mark.parametrize("text", TEXTS[:13], ids=range(13))
def test_results(client: Any, bodies: Any, simulator: RunningSimulator, text: str, shape: str) -> None:
    simulator.configure(shape_result=shape)
    task = client.wait(client.post("/tenants", bodies.tenant(text)))
    if shape == "escaped":
        assert parse(task.result.text.encode()).child_text("name") == text
    else:
        assert task.result.find(".//tenant").findtext("name") == text
