# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the answers of API 3.0 name the task that was started."""

from __future__ import annotations

import pytest

from ansible_collections.ksvla.light_agent.plugins.module_utils._api.identifiers import task_id
from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import UnexpectedAnswer
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.answer import Answer

TASK_ID = "5a1d1d0c-8f4e-4b5e-a8a5-3f6b8d8f2f10"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (f'{{"id": "{TASK_ID}", "state": "Created"}}', {}),
        (f'{{"id": "{TASK_ID}"}}', {}),
        (f'{{"Id": "{TASK_ID}"}}', {}),
        (f'{{"taskId": "{TASK_ID}"}}', {}),
        (f'{{"task": {{"id": "{TASK_ID}", "state": "Queued"}}}}', {}),
        (f'"{TASK_ID}"', {}),
        (TASK_ID, {}),
        ("", {"location": f"/api/3.0/virtualization/tasks/{TASK_ID}"}),
        ("{}", {"location": f"https://ksv/api/3.0/virtualization/tasks/{TASK_ID}/"}),
    ],
)
def test_the_id_of_the_task_is_found_wherever_it_stands(body: str, headers: dict[str, str]) -> None:
    assert task_id(Answer(202, headers, body.encode())) == TASK_ID


@pytest.mark.parametrize("body", ["", "{}", "[]", '"x"', '{"result": true}'])
def test_an_answer_without_an_id_is_refused(body: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        task_id(Answer(202, {}, body.encode()))
