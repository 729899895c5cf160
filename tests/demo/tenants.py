# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part about tenants: onboarding from a spreadsheet, the same again, a report, offboarding."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

from stage import Outcome, Stage

_DATA = Path(__file__).resolve().parent / "data"
_FILES = ("tenants.csv", "vms.csv", "passwords.yml")
_SOURCES = ("-e", "ksvla_tenants_csv=tenants.csv", "-e", "ksvla_vms_csv=vms.csv")


def show_tenants(stage: Stage) -> None:
    """Show the whole life of the tenants of a spreadsheet."""
    for name in _FILES:
        shutil.copy(_DATA / name, stage.folder / name)
    for name in ("handover", "reports"):
        (stage.folder / name).mkdir()
    passwords = re.findall(r"Example-\w+-1", (_DATA / "passwords.yml").read_text(encoding="utf-8"))
    tenants, vms = _rows("tenants.csv", ";"), _rows("vms.csv", ",")
    outcomes = [
        _predict(stage, len(tenants), len(vms)),
        _onboard(stage, len(tenants), len(vms)),
        _onboard_again(stage, len(tenants), len(vms)),
        _report(stage, len(tenants)),
        _offboard(stage, len(tenants)),
    ]
    shown = "".join(outcome.output for outcome in outcomes)
    stage.claim("no password was shown", not any(password in shown for password in passwords))


def _predict(stage: Stage, tenants: int, vms: int) -> Outcome:
    stage.headline(
        f"1. Predict: {tenants} tenants and {vms} virtual machines, as operators keep them in spreadsheets",
        "Check mode works on a server that knows none of them yet.",
    )
    stage.show_file(stage.folder / "tenants.csv")
    stage.show_file(stage.folder / "vms.csv", most_lines=4)
    outcome = stage.run(*_playbook("onboard_tenants", *_SOURCES, "-e", "@passwords.yml", "--check"))
    stage.claim("check mode changed nothing on the server", not _writes(stage) and not stage.tenants())
    return outcome


def _onboard(stage: Stage, tenants: int, vms: int) -> Outcome:
    stage.headline(
        "2. Onboard: create, register, activate, hand over",
        "The server works on each tenant for a while; what it is doing is shown as it goes.",
    )
    outcome = stage.run(
        *_playbook("onboard_tenants", *_SOURCES, "-e", "@passwords.yml"),
        "-e", "ksvla_handover_dir=handover", "-e", "ksvla_server_address=ksc.example.com",
    )  # fmt: skip
    found = stage.tenants()
    stage.claim(f"the server has {tenants} tenants", len(found) == tenants)
    stage.claim("all of them are active", {tenant["status"] for tenant in found.values()} == {"Active"})
    stage.claim(f"{vms} virtual machines are registered", sum(len(tenant["vms"]) for tenant in found.values()) == vms)
    files = sorted((stage.folder / "handover").iterdir())
    stage.claim(f"{len(files)} files for the administrators were written", len(files) == _complete(found))
    stage.show_file(files[0])
    stage.requests()
    stage.conclude(f"onboarded {tenants} tenants with {vms} virtual machines in {outcome.seconds:.0f} s")
    return outcome


def _onboard_again(stage: Stage, tenants: int, vms: int) -> Outcome:
    stage.headline("3. The same again", "Everything is as it should be, so that nothing happens.")
    outcome = stage.run(
        *_playbook("onboard_tenants", *_SOURCES, "-e", "@passwords.yml"),
        "-e", "ksvla_handover_dir=handover", "-e", "ksvla_server_address=ksc.example.com",
    )  # fmt: skip
    stage.claim("Ansible reports no change", outcome.changed() == 0)
    stage.claim("the server was only read", not _writes(stage))
    stage.conclude(f"looked through them again in {outcome.seconds:.0f} s and changed nothing")
    return outcome


def _report(stage: Stage, tenants: int) -> Outcome:
    stage.headline("4. Report: when was each virtual machine protected last month?")
    outcome = stage.run(
        *_playbook("report_protection", "-e", "ksvla_tenants_csv=tenants.csv"),
        "-e", "ksvla_report_dir=reports", "-e", "ksvla_report_month=last",
    )  # fmt: skip
    files = sorted((stage.folder / "reports").iterdir())
    stage.claim(f"{tenants} reports were fetched", len(files) == tenants)
    stage.show_file(files[0], most_lines=4)
    stage.requests()
    size = sum(file.stat().st_size for file in files)
    stage.conclude(f"fetched {len(files)} protection reports, {size / 1000:.0f} kB")
    return outcome


def _offboard(stage: Stage, tenants: int) -> Outcome:
    stage.headline("5. Offboard: a final report, then deactivate, unregister and remove")
    outcome = stage.run(
        *_playbook("offboard_tenants", "-e", "ksvla_tenants_csv=tenants.csv", "-e", "ksvla_report_dir=reports"),
        "-e", "ksvla_all=true", "-e", "tenant_offboarding_remove_artifacts=true",
    )  # fmt: skip
    stage.claim("the server has no tenant left", not stage.tenants())
    finals = [file for file in (stage.folder / "reports").iterdir() if "(final)" in file.name]
    stage.claim("a final report of each is there", len(finals) == tenants)
    stage.conclude(f"offboarded {tenants} tenants with a final report each in {outcome.seconds:.0f} s")
    return outcome


def _playbook(name: str, *arguments: str) -> tuple[str, ...]:
    return ("ansible-playbook", f"ksvla.light_agent.{name}", *arguments)


def _writes(stage: Stage) -> list[str]:
    return [request["path"] for request in stage.requests() if request["method"] != "GET"]


def _complete(tenants: dict[str, dict[str, str]]) -> int:
    return sum(tenant["type"] == "Complete" for tenant in tenants.values())


def _rows(name: str, delimiter: str) -> list[list[str]]:
    with (_DATA / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file, delimiter=delimiter))[1:]
