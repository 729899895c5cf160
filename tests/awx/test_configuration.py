# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is imported into AWX is what AWX 24.6.1 accepts, and fits together.

That every option is one of the modules of awx.awx, with a value that they take, is held by their stand-ins.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from awx.support.awx import Namespace
from awx.support.configuration import Configuration
from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

_ROOT = Path(__file__).resolve().parents[2]
_AWX = _ROOT / "extensions" / "awx"
_NAME = "^[a-zA-Z_]+[a-zA-Z0-9_]*$"
_TEXT = {"type": "string"}
_INPUTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "required": {"type": "array", "items": _TEXT},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "label"],
                "properties": {
                    "type": {"enum": ["string", "boolean"]},
                    "id": {"type": "string", "pattern": _NAME},
                    "label": _TEXT,
                    "help_text": _TEXT,
                    "multiline": {"type": "boolean"},
                    "secret": {"type": "boolean"},
                },
            },
        },
    },
}
"""awx/main/fields.py: CredentialTypeInputField, as far as it is used."""
_INJECTORS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "file": {
            "additionalProperties": False,
            "patternProperties": {r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$": _TEXT},
        },
        "env": {
            "additionalProperties": False,
            "patternProperties": {"^(?!ANSIBLE_)" + _NAME[1:]: {"type": "string", "pattern": "^[\x00-\x7f]*$"}},
        },
        "extra_vars": {"additionalProperties": False, "patternProperties": {_NAME: _TEXT}},
    },
}
"""awx/main/fields.py: CredentialTypeInjectorField."""
_SURVEY = {"text", "textarea", "password", "multiplechoice", "multiselect", "integer", "float"}
_TYPES = [
    "KSV LA SVM passwords",
    "KSV LA admin",
    "KSV LA infrastructure account",
    "KSV LA multitenancy",
    "KSV LA tenant passwords",
]


def test_all_types_are_there(made: Configuration) -> None:
    assert sorted(made["credential_type"]) == _TYPES
    assert {one["kind"] for one in made["credential_type"].values()} == {"cloud"}


@pytest.mark.parametrize("name", _TYPES)
def test_awx_accepts_the_inputs_and_injectors_of_a_type(made: Configuration, name: str) -> None:
    inputs, injectors = (made["credential_type"][name][key] for key in ("inputs", "injectors"))
    jsonschema.validate(inputs, _INPUTS)
    jsonschema.validate(injectors, _INJECTORS)
    fields = [each["id"] for each in inputs["fields"]]
    assert len(set(fields)) == len(fields)
    assert "tower" not in fields
    assert set(inputs["required"]) <= set(fields)
    assert not [each for each in inputs["fields"] if each["type"] == "boolean" and {"secret", "multiline"} & set(each)]
    assert {each["id"] for each in inputs["fields"] if re.search("password|token", each["id"])} == {
        each["id"] for each in inputs["fields"] if each.get("secret")
    }
    tower = Namespace()
    tower.filename = Namespace()  # type: ignore[attr-defined]
    for label in injectors.get("file", {}):
        setattr(tower.filename, label.partition(".")[2], "/path")  # type: ignore[attr-defined]
    rendered = {}
    for kind in ("file", "env", "extra_vars"):
        for key, template in injectors.get(kind, {}).items():
            strict = ImmutableSandboxedEnvironment(undefined=StrictUndefined)
            rendered[key] = strict.from_string(template).render({**dict.fromkeys(fields, "EXAMPLE"), "tower": tower})
    assert "{{" not in str(rendered)


def test_every_input_is_used(made: Configuration) -> None:
    for name, one in made["credential_type"].items():
        used = set(re.findall(r"\w+", json.dumps(one["injectors"])))
        assert {each["id"] for each in one["inputs"]["fields"]} <= used, name


def test_awx_accepts_the_surveys(made: Configuration) -> None:
    """awx/api/views: JobTemplateSurveySpec."""
    surveys = [one["survey_spec"] for one in made["job_template"].values() if one.get("survey_enabled")]
    assert len(surveys) == 4
    for survey in surveys:
        assert set(survey) == {"name", "description", "spec"}
        variables = [question["variable"] for question in survey["spec"]]
        assert len(set(variables)) == len(variables)
        for question in survey["spec"]:
            assert {"type", "question_name", "variable", "required"} <= set(question)
            assert question["type"] in _SURVEY
            assert isinstance(question["required"], bool)
            assert all(isinstance(question.get(limit, 0), int) for limit in ("min", "max"))
            if "choices" in question:
                assert question["default"] in question["choices"]
            elif not question["required"]:
                # Otherwise AWX refuses the blank answer.
                assert (question["min"], question["default"]) == (0, "")
            assert ("password" in question["variable"]) == (question["type"] == "password")


def test_everything_that_is_named_is_there(made: Configuration) -> None:
    names = {
        "credential": "credential",
        "credential_type": "credential_type",
        "credentials": "credential",
        "default_environment": "execution_environment",
        "execution_environment": "execution_environment",
        "inventory": "inventory",
        "notification_templates_approvals": "notification_template",
        "notification_templates_error": "notification_template",
        "notification_templates_success": "notification_template",
        "project": "project",
        "source_project": "project",
        "success_nodes": "workflow_job_template_node",
        "unified_job_template": "job_template",
        "workflow": "workflow_job_template",
    }
    for kind, ones in made.items():
        for name, one in ones.items():
            for key, among in names.items():
                given = one.get(key, [])
                for each in [given] if isinstance(given, str) else given:
                    assert each in made[among], f"{kind} {name}: {key}"
    playbooks = {one["playbook"].rpartition(".")[2] for one in made["job_template"].values()}
    assert playbooks - {path.stem for path in (_ROOT / "playbooks").glob("[a-z]*.yml")} == set()
    for one in made["inventory_source"].values():
        assert (_AWX / "project" / one["source_path"]).exists()


def test_nodes_and_schedules_give_what_their_job_template_asks_for(made: Configuration) -> None:
    asked = {
        "job_type": "ask_job_type_on_launch",
        "job_slice_count": "ask_job_slice_count_on_launch",
        "inventory": "ask_inventory_on_launch",
        "limit": "ask_limit_on_launch",
    }
    givers = [*made["workflow_job_template_node"].values(), *made["schedule"].values()]
    for one in givers:
        if "unified_job_template" not in one:
            assert one["approval_node"]["timeout"] > 0
            continue
        template = made["job_template"][one["unified_job_template"]]
        assert not [key for key, asks in asked.items() if key in one and not template.get(asks)]
        questions = {each["variable"] for each in template.get("survey_spec", {}).get("spec", [])}
        assert set(one.get("extra_data", {})) <= questions or template.get("ask_variables_on_launch")


def test_the_first_jobs_of_the_workflow_wait_for_an_approval(made: Configuration) -> None:
    nodes = made["workflow_job_template_node"]
    order, at = [], "rehearse"
    while at:
        order.append(at)
        at = next(iter(nodes[at].get("success_nodes", [])), "")
    assert order == ["rehearse", "approve", "rollout", "onboard", "report"]
    assert nodes["rehearse"]["job_type"] == "check"
    assert nodes["onboard"]["job_slice_count"] == 3


def test_notifications_hold_for_workflows_too(made: Configuration) -> None:
    """A message that reads an attribute of artifacts leaves a workflow of AWX 24.6.1 running for ever."""
    for message in made["notification_template"]["KSV LA chat"]["messages"].values():
        for artifacts in (None, {"ksvla_summary": "2 tenants: 2 created"}):
            job = {"name": "Job", **({"artifacts": artifacts} if artifacts else {})}
            text = ImmutableSandboxedEnvironment().from_string(message["body"]).render(job=job, url="https://awx/1")
            assert json.loads(text)["text"].startswith("Job")
            assert ("2 created" in text) == bool(artifacts)


def test_without_a_webhook_there_are_no_notifications() -> None:
    text = (_AWX / "configuration" / "notifications.yml").read_text("utf-8")
    configuration = yaml.safe_load(text)
    assert configuration["controller_notifications"].endswith("if ksvla_awx_webhook else [] }}")
    assert configuration["ksvla_awx_notified"].endswith("if ksvla_awx_webhook else [] }}")


def test_files_name_the_version_of_the_collection() -> None:
    version = yaml.safe_load((_ROOT / "galaxy.yml").read_text("utf-8"))["version"]
    for path in _AWX.rglob("*.yml"):
        named: set[Any] = set(
            re.findall(r"ksvla-light_agent-([\d.]+)\.tar|light-agent:([\d.]+)", path.read_text("utf-8"))
        )
        assert {number for pair in named for number in pair if number} <= {version}, path
