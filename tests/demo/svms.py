# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part about SVMs: a rollout on VMware vSphere and on OpenStack, the same again, a reconfiguration, a removal."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from stage import Outcome, Stage

_DATA = Path(__file__).resolve().parent / "data"
_FILES = ("infrastructures.yml", "svm-passwords.yml")
_SOURCES = ("-i", "infrastructures.yml", "-e", "@svm-passwords.yml", "-e", "ksvla_svm_state_file=svms.yml")
_ON_VMWARE = ("svm-hypervisor-01", "svm-hypervisor-02", "svm-hypervisor-03")
_ON_OPENSTACK = ("svm-cloud-1", "svm-cloud-2")
_SECONDS_OF_STEPS = {"UploadSvmImage": 3.0, "CreateSvm": 1.0, "ConfigureSvm": 1.0}
_VERIFIES = re.compile(r"/images/[^/]+/validate$")


def show_svms(stage: Stage) -> None:
    """Show the whole life of SVMs on two platforms at once."""
    for name in _FILES:
        shutil.copy(_DATA / name, stage.folder / name)
    passwords = re.findall(r"Example-\w+-1", (_DATA / "svm-passwords.yml").read_text(encoding="utf-8"))
    for step, seconds in _SECONDS_OF_STEPS.items():
        stage.slow_down("DeploySvmStep", seconds, deployStepName=step)
    outcomes = [_roll_out(stage), _roll_out_again(stage), _reconfigure(stage), _remove(stage)]
    shown = "".join(outcome.output for outcome in outcomes)
    stage.claim("no password was shown", not any(password in shown for password in passwords))


def _roll_out(stage: Stage) -> Outcome:
    stage.headline(
        "6. Roll out: an SVM on each hypervisor of a VMware vSphere, and two in an OpenStack, at the same time",
        "Trust their certificates, connect, verify the image, find the places, deploy. Each SVM shows the step it is at.",
    )
    stage.show_file(stage.folder / "infrastructures.yml", most_lines=60)
    outcome = stage.run(*_playbook("rollout_svms"))
    svms = stage.svms()
    stage.claim("each hypervisor has its SVM", tuple(sorted(svms["vcenter.example.com"])) == _ON_VMWARE)
    stage.claim("so has each project of the list", tuple(sorted(svms["keystone.example.com"])) == _ON_OPENSTACK)
    stage.claim("the progress of every SVM could be watched", _watched(outcome) == {*_ON_VMWARE, *_ON_OPENSTACK})
    stage.say("", "No call lists infrastructures, images or addresses, so the ids were kept for the next runs:")
    stage.show_file(stage.folder / "svms.yml", most_lines=20)
    stage.requests()
    stage.conclude(
        f"connected a VMware vSphere and an OpenStack and deployed {len(_ON_VMWARE) + len(_ON_OPENSTACK)} SVMs on them "
        f"in {outcome.seconds:.0f} s"
    )
    return outcome


def _roll_out_again(stage: Stage) -> Outcome:
    stage.headline("7. The same again", "Everything is as it should be; only the image is verified again.")
    before = stage.svms()
    outcome = stage.run(*_playbook("rollout_svms"))
    stage.claim("Ansible reports no change", outcome.changed() == 0)
    writes = [request["path"] for request in stage.requests() if request["method"] != "GET"]
    stage.claim("the server was asked to verify the image, and nothing else", all(map(_VERIFIES.search, writes)))
    stage.claim("the SVMs are the same", stage.svms() == before)
    stage.conclude(f"looked through the SVMs again in {outcome.seconds:.0f} s and changed nothing")
    return outcome


def _reconfigure(stage: Stage) -> Outcome:
    stage.headline(
        "8. Reconfigure: a new password of klconfig, another Administration Server",
        "The server does not show what an SVM has, so this is a change every time it is run.",
    )
    outcome = stage.run(*_playbook("reconfigure_svms"))
    connected_to = [svm["settings"]["ksc"]["address"] for svms in stage.svms().values() for svm in svms.values()]
    stage.claim("all SVMs know the new Administration Server", set(connected_to) == {"ksc-2.example.com"})
    stage.conclude(f"reconfigured {len(connected_to)} SVMs in {outcome.seconds:.0f} s")
    return outcome


def _remove(stage: Stage) -> Outcome:
    stage.headline("9. Remove: the SVMs, then the connections to both infrastructures")
    outcome = stage.run(*_playbook("remove_svms"), "-e", "ksvla_all=true")
    stage.claim("no SVM is left, and no infrastructure is connected", not stage.svms())
    stage.conclude(f"removed the SVMs and disconnected both infrastructures in {outcome.seconds:.0f} s")
    return outcome


def _playbook(name: str) -> tuple[str, ...]:
    return ("ansible-playbook", f"ksvla.light_agent.{name}", *_SOURCES)


def _watched(outcome: Outcome) -> set[Any]:
    """The SVMs whose step a line of progress shows."""
    return set(re.findall(r"^ *\[\w+\] (svm-[\w-]+): \w+ \d+ %", outcome.output, re.MULTILINE))
