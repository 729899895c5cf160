# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX 24.6.1 does with credentials, variables and jobs (awx/main/models/credential.py, awx/main/tasks/jobs.py)."""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL
from typing import Any

import ansible_runner
import yaml
from integration.support.playbooks import with_descendants
from jinja2.sandbox import ImmutableSandboxedEnvironment

Json = dict[str, Any]
_ROOT = Path(__file__).resolve().parents[3]
OLDEST = _ROOT / ".venv" / "oldest" / "bin"
NEWEST = Path(sys.executable).parent


class Namespace:
    """What templates know as ``tower`` and ``tower.filename``."""


class _Unsafe(yaml.SafeDumper):
    """Marks every text, keys too, as not to be evaluated."""

    def represent_data(self, data: Any) -> yaml.Node:
        return self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)


@dataclass(frozen=True)
class Injected:
    """What credentials give a job: environment variables, and a file of extra variables for each that has some."""

    environment: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)


def inject(credential_type: Json, inputs: Json, folder: Path, into: Injected) -> None:
    """Render the injectors of a credential type. An input that is blank is undefined, a boolean that is missing is false."""
    tower = Namespace()
    namespace: Json = {"tower": tower}
    namespace.update({name: value for name, value in inputs.items() if isinstance(value, bool) or value})
    for each in credential_type["inputs"]["fields"]:
        if each["type"] == "boolean":
            namespace.setdefault(each["id"], False)

    def render(template: str) -> str:
        return ImmutableSandboxedEnvironment().from_string(template).render(**namespace)

    injectors = credential_type["injectors"]
    tower.filename = Namespace()  # type: ignore[attr-defined]
    for label, template in injectors.get("file", {}).items():
        path = _new_file(folder, render(template))
        setattr(tower.filename, label.partition(".")[2], str(path))  # type: ignore[attr-defined]
    into.environment.update({name: render(template) for name, template in injectors.get("env", {}).items()})
    variables = {name: render(template) for name, template in injectors.get("extra_vars", {}).items()}
    if variables:
        into.arguments.extend(["-e", f"@{_new_file(folder, yaml.safe_dump(variables))}"])


def _new_file(folder: Path, text: str) -> Path:
    path = folder / f"credential{len(list(folder.iterdir()))}"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def extra_variables(variables: Json, trusted: Json) -> str:
    """Return the file of a job's extra variables: what is not the job template's own is never evaluated."""
    return "".join(
        yaml.dump({name: value}, Dumper=yaml.SafeDumper if trusted.get(name) == value else _Unsafe)
        for name, value in variables.items()
    )


@dataclass(frozen=True)
class Launch:
    """What a person, or the node of a workflow, gives a job template.

    :param artifacts: What the jobs before it in the workflow have published.
    :param inventory: Hosts with their variables, by group.
    :param slice: Which slice, and of how many.
    """

    answers: Json = field(default_factory=dict)
    artifacts: Json = field(default_factory=dict)
    inventory: Mapping[str, Json] = field(default_factory=dict)
    arguments: Sequence[str] = ()
    slice: tuple[int, int] = (1, 1)


@dataclass(frozen=True)
class Done:
    """A job that has ended."""

    status: str
    folder: Path
    events: list[Json]

    @property
    def output(self) -> str:
        """What the job's page shows."""
        return (self.folder / "artifacts" / "job" / "stdout").read_text(encoding="utf-8")

    @property
    def artifacts(self) -> Json:
        """What it has published."""
        found: Json = {}
        for event in self.events:
            if event["event"] == "playbook_on_stats":
                found.update(event["event_data"].get("artifact_data", {}))
        return found

    def succeeded(self) -> Done:
        """This job, which has to have ended well."""
        assert self.status == "successful", self.output
        return self


class Awx:
    """Runs jobs of a configuration, each in a folder and a home that no other job has.

    :param configuration: By kind, such as ``job_template``, what has been imported, by name.
    :param secrets: What no job may show, with what it is.
    """

    def __init__(
        self, configuration: Mapping[str, Mapping[str, Json]], folder: Path, secrets: Mapping[str, str]
    ) -> None:
        self.configuration = configuration
        self.folder = folder
        self.secrets = secrets
        collections = folder / "collections" / "ansible_collections" / "ksvla"
        collections.mkdir(parents=True)
        (collections / "light_agent").symlink_to(_ROOT)
        self._numbers = itertools.count(1)

    def launch(self, template: str, launch: Launch | None = None) -> Done:
        """Run a job and wait for its end."""
        with self.started(template, launch) as job:
            return job.ended()

    @contextmanager
    def started(self, template: str, launch: Launch | None = None) -> Iterator[Job]:
        """A job that runs meanwhile; what is left of it at the end of the block is killed. It must show no secret."""
        folder = self.folder / f"job{next(self._numbers)}"
        for name in ("env", "home", "inventory", "project", "tmp"):
            (folder / name).mkdir(parents=True)
        job = Job(folder, self._parameters(self.configuration["job_template"][template], launch or Launch(), folder))
        try:
            yield job
        finally:
            job.cancel()
        for path, text in job.shown():
            assert not [about for form, about in self.secrets.items() if form in text], path

    def _parameters(self, template: Json, launch: Launch, folder: Path) -> Json:
        injected = Injected()
        for name in template["credentials"]:
            credential = self.configuration["credential"][name]
            inject(
                self.configuration["credential_type"][credential["credential_type"]],
                credential["inputs"],
                folder / "env",
                injected,
            )
        own = template.get("extra_vars", {})
        variables = {**own, **_answers(template, launch.answers), **launch.artifacts, "awx_job_name": folder.name}
        (folder / "env" / "extravars").write_text(extra_variables(variables, own), encoding="utf-8")
        inventory = folder / "inventory" / "hosts"
        inventory.write_text(f"#!/usr/bin/env python3\nprint({json.dumps(_sliced(launch))!r})\n", encoding="utf-8")
        inventory.chmod(0o700)
        environment = {
            "AWX_PRIVATE_DATA_DIR": str(folder),
            "ANSIBLE_COLLECTIONS_PATH": str(self.folder / "collections"),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_HOME": str(folder / "home" / ".ansible"),
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"),
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "HOME": str(folder / "home"),
            "JOB_ID": "1",
            "LC_ALL": "C.UTF-8",
            "PATH": f"{OLDEST}:/usr/local/bin:/usr/bin:/bin",
            **injected.environment,
        }
        arguments = ["-u", "root", f"--forks={template.get('forks') or 5}", *launch.arguments, *injected.arguments]
        return {"playbook": template["playbook"], "envvars": environment, "cmdline": " ".join(arguments)}


class Job:
    """A job under way."""

    def __init__(self, folder: Path, parameters: Json) -> None:
        self.folder = folder
        self.events: list[Json] = []
        self._thread, self._runner = ansible_runner.run_async(
            private_data_dir=str(folder), ident="job", quiet=True, suppress_env_files=True,
            event_handler=self.events.append, **parameters,
        )  # fmt: skip
        assert isinstance(self._thread, threading.Thread)

    def ended(self) -> Done:
        """Wait for its end."""
        self._thread.join(300)
        return Done(self._runner.status, self.folder, self.events)

    def cancel(self) -> None:
        """Kill all of it at once, as a container is, with its home."""
        if self._thread.is_alive():
            for process in self._processes():
                with suppress(ProcessLookupError):
                    os.kill(process, SIGKILL)
            self._thread.join(60)

    def shown(self) -> Iterator[tuple[Path, str]]:
        """Everything that AWX keeps of the job; the file of the command is ansible-runner's own and is not kept."""
        for path in (self.folder / "artifacts").rglob("*"):
            if path.is_file() and path.name != "command":
                yield path, path.read_text(encoding="utf-8", errors="replace")

    def _processes(self) -> list[int]:
        mark = f"AWX_PRIVATE_DATA_DIR={self.folder}"
        found = []
        for process in with_descendants(os.getpid()):
            with suppress(OSError):
                if mark in Path(f"/proc/{process}/environ").read_text(errors="replace").split("\0"):
                    found.append(process)
        return found


def _answers(template: Json, given: Json) -> Json:
    """Return the answers of a survey: a question that is not answered gives its default, often a blank text."""
    questions = template.get("survey_spec", {}).get("spec", [])
    defaults = {each["variable"]: each["default"] for each in questions if "default" in each}
    missing = [
        each["variable"] for each in questions if each["required"] and each["variable"] not in {**defaults, **given}
    ]
    assert not missing, f"AWX refuses the launch: {missing}"
    if not template.get("ask_variables_on_launch"):
        assert set(given) <= {each["variable"] for each in questions}, "AWX refuses variables that are not asked for"
    return {**defaults, **given}


def _sliced(launch: Launch) -> Json:
    """Return the inventory that a job gets, of a slice with its part of the hosts."""
    number, count = launch.slice
    hosts = sorted({name for members in launch.inventory.values() for name in members})[number - 1 :: count]
    groups: Json = {
        group: {"hosts": [name for name in members if name in hosts]} for group, members in launch.inventory.items()
    }
    variables: Json = {}
    for members in launch.inventory.values():
        variables.update({name: values for name, values in members.items() if name in hosts})
    return {**groups, "all": {"hosts": hosts, "children": list(groups)}, "_meta": {"hostvars": variables}}
