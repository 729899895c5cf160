# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An independent client of the simulator's API 3.0, written with requests."""

from __future__ import annotations

import base64
import time
from typing import Any

import requests

from simulator.testing import RunningSimulator

OPENSTACK = ("OPENSTACK", "TIONIXOPENSTACK", "VKCLOUDOPENSTACK")
HTTPS_PORTS = {
    "XEN": 443,
    "NUMAVSERVER": 443,
    "PROXMOX": 8006,
    "VMWARE": 443,
    "ROSPLATFORMA": 443,
    "BASISVCONTROL": 443,
    "FUSIONCOMPUTE": 7443,
    "NUTANIXPRISM": 9440,
    "OPENSTACK": 5000,
    "TIONIXOPENSTACK": 5000,
    "VKCLOUDOPENSTACK": 5000,
}
SSH_PORTS = dict.fromkeys(("LIBVIRT", "ALTVIRTUALIZATIONSERVER", "ASTRALINUX", "PROXMOX"), 22)
TYPES = ("HYPERV", *dict.fromkeys([*HTTPS_PORTS, *SSH_PORTS]))
SVM = "/management/deployment/svm/"
IMAGES = "/management/deployment/svm/images"


def encode(text: str) -> str:
    """Base64."""
    return base64.b64encode(text.encode()).decode()


class SvmClient:
    """Sends exactly what it is given, with a token obtained once."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self.simulator = simulator
        self.base = f"{simulator.url}/api/3.0"
        self.session = requests.Session()
        self.session.verify = simulator.ca_path
        self.session.trust_env = False
        self.login()

    def __enter__(self) -> SvmClient:
        return self

    def __exit__(self, *_problem: object) -> None:
        self.session.close()

    def login(self) -> None:
        """Gets a token and uses it from now on."""
        answer = self.session.get(f"{self.base}/auth/tokens", auth=("admin", self.simulator.admin_password), timeout=20)
        assert answer.status_code == 200, answer.text
        self.session.headers["Authorization"] = f"Bearer {answer.json()['accessToken']['value']}"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        """One call below ``/api/3.0``; the path goes out as it is."""
        request = requests.Request(method, self.base, json=body, **more)
        prepared = self.session.prepare_request(request)
        prepared.url = self.base + path
        return self.session.send(prepared, timeout=20, verify=self.simulator.ca_path)

    def get(self, path: str) -> Any:
        """The body of a 200 answer."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None, status: int = 400) -> str:
        """The message of a refusal with this status."""
        answer = self.call(method, path, body)
        assert answer.status_code == status, (answer.status_code, answer.text)
        message: str = answer.json()["message"]
        return message

    def trust(self, address: str, ssh: bool = False) -> None:
        """Obtains a certificate or key and adds it to the trusted ones."""
        call = "/sshConfig/getSshKey" if ssh else "/sslConfig/getCertificate"
        found = self.get(f"{call}?address={address}")
        rule = {"address": address, "thumbprint": found["thumbprint"]}
        answer = self.call("POST", "/sslConfig/certificateValidator/rules", rule)
        assert (answer.status_code, answer.content) == (201, b""), answer.text

    def trust_platform(self, kind: str, host: str) -> None:
        """Trusts all that a platform of this type presents at its usual ports."""
        if kind in HTTPS_PORTS:
            self.trust(f"{host}:{HTTPS_PORTS[kind]}")
        if kind in SSH_PORTS:
            self.trust(f"{host}:{SSH_PORTS[kind]}", ssh=True)

    def add(self, kind: str, address: str, **changes: Any) -> Any:
        """Adds an infrastructure; gives the answer."""
        answer = self.call("POST", "/infrastructures", connection(kind, address, **changes))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def connected(self, kind: str, host: str, **changes: Any) -> str:
        """Trusts, adds, and waits; gives the id."""
        self.trust_platform(kind, host)
        if kind in OPENSTACK:
            for port in (8774, 9292, 9696, 8776):
                self.trust(f"{host}:{port}")
        infrastructure_id: str = self.add(kind, host, **changes)["infrastructureId"]
        admin = self.get(f"/infrastructures/{infrastructure_id}")["connectionInfo"]["admin"]
        assert (admin["status"], admin["connectionError"]) == ("CONNECTED", "NO_ERROR"), admin
        return infrastructure_id

    def objects(self, infrastructure_id: str, types: str = "", output: str = "GeneralInfo") -> Any:
        """The objects of these types."""
        query = f"?outputType={output}" + (f"&objectTypes={types}" if types else "")
        return self.get(f"/infrastructures/{infrastructure_id}/objects{query}")

    def image(self, *types: str) -> str:
        """Registers an image; gives its id."""
        body = {"manifestUrl": "/images/svm.xml", "hypervisors": [{"type": each} for each in types]}
        answer = self.call("POST", f"{IMAGES}/register/manifest", body)
        assert answer.status_code == 200, answer.text
        image_id: str = answer.json()["id"]
        return image_id

    def task(self, task_id: str) -> Any:
        """A task as it is now."""
        return self.get(f"/virtualization/tasks/{task_id}")

    def wait(self, answer: requests.Response, seconds: float = 10.0) -> Any:
        """Waits for the task that an answer names."""
        assert answer.status_code == 200, (answer.status_code, answer.text)
        deadline = time.monotonic() + seconds
        while True:
            task = self.task(answer.json()["id"])
            if task["state"] in ("Completed", "Failed", "Cancelled"):
                return task
            assert time.monotonic() < deadline, task
            time.sleep(0.02)


def connection(kind: str, address: str, /, **changes: Any) -> dict[str, Any]:
    """The body that adds an infrastructure; ``read_only=True`` adds the second account."""
    admin = {"name": "root", "password": encode("Secret-1")}
    read_only = {"name": "reader", "password": encode("Secret-2")}
    body: dict[str, Any] = {"type": kind, "address": address, "accounts": {"admin": admin}}
    if kind in OPENSTACK:
        admin["domain"] = read_only["domain"] = "Default"
        body["specificSettings"] = {"protocol": changes.pop("protocol", "https")}
        if "region" in changes:
            body["specificSettings"]["region"] = changes.pop("region")
    if changes.pop("read_only", False):
        body["accounts"]["readOnly"] = read_only
    body.update(changes)
    return body
