# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API 3.0: registering SVM images and verifying them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from contract.svm_client import IMAGES, TYPES, SvmClient

from simulator.testing import RunningSimulator

REGISTER = f"{IMAGES}/register/manifest"


@pytest.fixture
def api(simulator: RunningSimulator) -> Iterator[SvmClient]:
    with SvmClient(simulator) as client:
        yield client


def _body(*types: str, url: str = "/images/svm.xml") -> dict[str, Any]:
    return {"manifestUrl": url, "hypervisors": [{"type": each} for each in types]}


def test_an_image_as_the_page_shows_it(api: SvmClient) -> None:
    shown = api.call("POST", REGISTER, _body(*TYPES)).json()
    assert list(shown) == ["id", "manifest", "hypervisors"]
    assert list(shown["manifest"]) == ["svmVersion", "size", "vendorInfo"]
    for language in ("en", "ru"):
        assert list(shown["manifest"]["vendorInfo"][language]) == ["productName", "vendor", "description", "publisher"]
    assert [each["type"] for each in shown["hypervisors"]] == list(TYPES)


@pytest.mark.parametrize("url", ["/a/b.xml", "C:\\images\\svm.XML", "C:/images/svm.xml", "\\\\server\\share\\svm.xml"])
def test_absolute_paths(api: SvmClient, url: str) -> None:
    assert api.call("POST", REGISTER, _body("XEN", url=url)).status_code == 200


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (_body("XEN", url="svm.xml"), "manifestUrl"),
        (_body("XEN", url="images/svm.xml"), "manifestUrl"),
        (_body("XEN", url="/images/svm.zip"), "manifestUrl"),
        (_body("XEN", url="/lost/svm.xml"), "manifestUrl"),
        (_body(), "hypervisors"),
        (_body("XEN", "ESXI"), "hypervisors[1].type"),
        (_body("XEN", "XEN"), "hypervisors[1].type"),
        (_body("NUMAVERSER"), "hypervisors[0].type"),
        ({"manifestUrl": "/images/svm.xml", "hypervisors": ["XEN"]}, "hypervisors[0]"),
        ({"manifestUrl": "/images/svm.xml"}, "hypervisors"),
        ({**_body("XEN"), "name": "x"}, "name"),
    ],
)
def test_bodies_are_read_strictly(api: SvmClient, simulator: RunningSimulator, body: Any, named: str) -> None:
    simulator.configure(missing_manifests="/lost/svm.xml")
    assert api.refused("POST", REGISTER, body).startswith(f"{named} ")


@pytest.mark.parametrize(
    ("setting", "accepted"),
    [("NUMAVSERVER", [200, 400]), ("NUMAVERSER", [400, 200]), ("both", [200, 200])],
)
def test_the_two_spellings_of_numa(
    api: SvmClient, simulator: RunningSimulator, setting: str, accepted: list[int]
) -> None:
    simulator.configure(numa_image_type=setting)
    found = [api.call("POST", REGISTER, _body(each)).status_code for each in ("NUMAVSERVER", "NUMAVERSER")]
    assert found == accepted


def test_verifying(api: SvmClient, simulator: RunningSimulator) -> None:
    image_id = api.image("XEN")
    answer = api.call("PUT", f"{IMAGES}/{image_id}/validate")
    assert answer.json()["type"] == "ValidateSvmImage"
    assert answer.json()["state"] in ("Created", "Queued")
    task = api.wait(answer)
    assert (task["state"], task["progress"], task["result"], task["children"]) == ("Completed", 100, True, [])
    simulator.configure(image_damaged=True)
    task = api.wait(api.call("PUT", f"{IMAGES}/{image_id}/validate"))
    assert (task["state"], task["result"]) == ("Failed", None)
    assert image_id in task["error"]
    assert api.refused("PUT", f"{IMAGES}/{image_id}x/validate", status=404)


def test_a_failure_that_was_asked_for(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.task_fault(type="ValidateSvmImage", code="VIRMT_Struck", message="Struck")
    simulator.configure(svm_task_error="object")
    task = api.wait(api.call("PUT", f"{IMAGES}/{api.image('XEN')}/validate"))
    assert task["error"] == {"code": "VIRMT_Struck", "message": "Struck"}


def test_listing_and_registering_again(api: SvmClient, simulator: RunningSimulator) -> None:
    first = api.image("XEN")
    assert api.refused("GET", IMAGES, status=404)
    simulator.configure(list_images=True)
    assert api.image("XEN") != first
    assert len(api.get(IMAGES)) == 2
    simulator.configure(register_again="same", list_shape="object")
    assert api.image("VMWARE") == first
    assert api.get(IMAGES)["images"][0]["hypervisors"] == [{"type": "XEN"}, {"type": "VMWARE"}]
    simulator.configure(register_again="refuse")
    assert api.refused("POST", REGISTER, _body("XEN"), status=409)


def test_seeded_images(api: SvmClient, simulator: RunningSimulator) -> None:
    simulator.seed(images=[{"id": "image-1", "types": ["XEN"]}])
    assert api.wait(api.call("PUT", f"{IMAGES}/image-1/validate"))["state"] == "Completed"
