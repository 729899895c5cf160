# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole life of a tenant against servers that answer in every shape that the pages leave open."""

from __future__ import annotations

from dataclasses import fields

import pytest
from integration.support.life import check_life, life
from integration.support.playbooks import Json, Playbooks, module

from simulator.settings import RANDOM, Settings

_OPEN = {
    field.name: [choice for choice in field.metadata["choices"] if choice != RANDOM]
    for field in fields(Settings)
    if field.name.startswith(("shape_", "content_range", "report_quoting", "report_line")) and field.metadata["choices"]
}
_ROUNDS = max(len(choices) for choices in _OPEN.values())
_CALM = {name: Settings.__dataclass_fields__[name].default for name in _OPEN} | {
    "shape": "fixed", "ranges": True, "report_bom": False, "cancel_style": "at_once",
}  # fmt: skip


def _shapes() -> dict[str, Json]:
    """Return settings in which every shape of every kind occurs, beside ever other shapes of the other kinds."""
    rounds: dict[str, Json] = {}
    for number in range(_ROUNDS):
        shape = {name: choices[(number + at) % len(choices)] for at, (name, choices) in enumerate(_OPEN.items())}
        rounds[f"round {number}"] = {**shape, "ranges": number % 2 == 0, "report_bom": number % 3 == 0}
    for seed in (1, 2):
        rounds[f"random {seed}"] = {"shape": "random", "shape_seed": seed}
    return rounds


def test_every_shape_occurs() -> None:
    rounds = list(_shapes().values())
    for name, choices in _OPEN.items():
        assert {shape[name] for shape in rounds if name in shape} == set(choices)


@pytest.mark.parametrize(("place", "labels"), [("controller", tuple(_shapes())), ("module", ("round 3", "random 1"))])
def test_a_life_in_every_shape(playbooks: Playbooks, place: str, labels: tuple[str, ...]) -> None:
    tasks: list[Json] = []
    for label in labels:
        tasks.append({"name": "reset", "simulator": {"reset": True, "configure": {**_CALM, **_shapes()[label]}}})
        tasks.extend(life(label))
        tasks.extend(_failures(label))
    tasks.append({"name": "calm", "simulator": {"configure": _CALM}})
    run = playbooks.run(tasks, place).succeeded()
    for label in labels:
        check_life(run, label)
        for name, code in _CODES.items():
            record = run.named(f"{label} / {name}")
            assert record.failed
            assert record.result["error_code"] == code, record.result
            assert record.result["hint"]


_CODES = {
    "weak": "VIRMT_PasswordNotComplyPolicy",
    "unknown": "VIRMT_TenantWithSpecifiedIdNotFound",
}


def _failures(label: str) -> list[Json]:
    """Return tasks whose errors come from a task and from a call."""
    weak = module("ksvla_tenant", name="Weak", type="complete", admin_username="w", admin_password="abcdefghij")
    unknown = module("ksvla_tenant_vm_info", tenant_id="00000000-0000-4000-8000-0000000000ff")
    return [
        {**weak, "name": f"{label} / weak", "ignore_errors": True},
        {**unknown, "name": f"{label} / unknown", "ignore_errors": True},
    ]
