# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook and ansible-inventory in forks of a process that has imported Ansible and the collection already.

Usage: python fork_server.py NUMBER_OF_A_SOCKET

Importing them takes over a second of a processor, most of what a short playbook costs. Every run gets arguments, environment,
folder and output of its own, and reads Ansible's configuration again. What Ansible takes from the environment while it is
imported and keeps must be the same for all runs: ``serves`` says which runs these are. Only this environment's ansible-core
is run so, not an older one.
"""

from __future__ import annotations

import atexit
import gc
import hashlib
import importlib
import json
import marshal
import os
import pkgutil
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

KEPT = {"ANSIBLE_STRATEGY": "inline", "ANSIBLE_PIPELINING": "true"}
"""The variables that Ansible keeps from its import, in attributes of its classes."""
_READ_AGAIN = {
    f"ANSIBLE_{name}"
    for name in (
        *("ACTION_PLUGINS", "CALLBACK_PLUGINS", "CONNECTION_PLUGINS", "STRATEGY_PLUGINS", "COLLECTIONS_PATH"),
        *("ASYNC_DIR", "CONFIG", "HOME", "LOCAL_TEMP", "LOG_PATH", "REMOTE_TEMP"),
        *("CALLBACKS_ENABLED", "CALLBACK_RESULT_FORMAT", "DEPRECATION_WARNINGS", "LOCALHOST_WARNING", "NOCOLOR"),
        *("FORKS", "RETRY_FILES_ENABLED", "SHOW_CUSTOM_STATS"),
    )
}
_LOADERS = ("action", "callback", "connection", "strategy")
_COMMANDS = {"ansible-playbook": "ansible.cli.playbook", "ansible-inventory": "ansible.cli.inventory"}
_COLLECTION = "ansible_collections.ksvla.light_agent"
_PLUGINS = f"{_COLLECTION}.plugins"
_PLUGINS_USED = {
    "action": (
        "normal",
        "add_host",
        "assert",
        "copy",
        "debug",
        "fail",
        "include_vars",
        "set_fact",
        "set_stats",
        "template",
    ),
    "inventory": ("host_list", "script", "auto", "yaml", "ini", "toml", "constructed"),
    "cache": ("memory",),
    "filter": ("core", "mathstuff", "urls", "urlsplit"),
    "test": ("core", "files", "mathstuff", "uri"),
    "lookup": ("file", "vars", "env", "items", "first_found"),
    "strategy": ("linear",),
}
_USED = (
    *_COMMANDS.values(),
    *(f"ansible.plugins.{kind}.{name}" for kind in ("filter", "test") for name in _PLUGINS_USED.pop(kind)),
    *("ansible.executor.module_common", "requests", "concurrent.futures.thread", "multiprocessing.synchronize"),
)
"""What runs import, so that it is imported once; what is missing in these lists only costs time."""
_HOW_TEMPLATES_ARE_WRITTEN = (
    *("block_start_string", "block_end_string", "variable_start_string", "variable_end_string"),
    *("comment_start_string", "comment_end_string", "line_statement_prefix", "line_comment_prefix"),
    *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline"),
)
_Request = dict[str, Any]
_PACKED = os.path.join(os.environ.get("ANSIBLE_HOME", ""), "packed")
"""In the server: where its runs keep modules as they are packed for the other place, which takes half a second for each."""
_TEMPLATES = os.path.join(os.environ.get("ANSIBLE_HOME", ""), "templates")
"""In the server: where its runs keep templates as they are compiled, a sixth of what a playbook costs."""


def serves(environment: Mapping[str, str]) -> bool:
    """Whether a run with these variables may be a fork."""
    variables = {name: value for name, value in environment.items() if name.startswith("ANSIBLE_")}
    kept = {name: value for name, value in variables.items() if name not in _READ_AGAIN}
    return kept == KEPT


class ForkServer:
    """The process, as the tests see it. One run at a time."""

    def __init__(self, collections: Path) -> None:
        ours, its = socket.socketpair()
        variables = {**os.environ, **KEPT, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "true"}
        self._home = tempfile.TemporaryDirectory()
        variables |= {"ANSIBLE_HOME": self._home.name, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        command = [sys.executable, "-P", str(Path(__file__).resolve()), str(its.fileno())]
        self._process = subprocess.Popen(command, env=variables, pass_fds=[its.fileno()], stdin=subprocess.DEVNULL)
        its.close()
        self._socket = ours
        atexit.register(self.kill)

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], folder: str, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of Ansible and wait for its end."""
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            request: _Request = {"command": list(command), "environment": dict(environment), "folder": folder}
            with tempfile.TemporaryFile() as file:
                file.write(json.dumps(request).encode())
                file.flush()
                socket.send_fds(self._socket, [b"?"], [each.fileno() for each in (file, output, errors)])
            self._socket.settimeout(timeout)
            answer = self._socket.recv(20)
            assert answer, "the fork server has ended"
            output.seek(0)
            errors.seek(0)
            shown = (each.read().decode("utf-8") for each in (output, errors))
            return subprocess.CompletedProcess(command, int(answer), *shown)

    def kill(self) -> None:
        """End it and what it runs."""
        from support.processes import with_descendants

        for process in with_descendants(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._process.wait()
        self._socket.close()
        self._home.cleanup()


def _serve(connection: socket.socket) -> None:
    os.mkdir(_PACKED)
    os.mkdir(_TEMPLATES)
    _import_all()
    gc.freeze()
    while True:
        _question, files, _flags, _address = socket.recv_fds(connection, 1, 3)
        if not files:
            return
        child = os.fork()
        if not child:
            connection.close()
            _become(*files)
        for each in files:
            os.close(each)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        connection.sendall(str(status).encode())


def _import_all() -> None:
    """Import what runs use, and forget where the collection was found."""
    for name in _USED:
        importlib.import_module(name)
    from ansible.plugins.loader import init_plugin_loader
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    _prepare_ansible()
    init_plugin_loader()
    _read_definitions()
    for folder in ("module_utils", "plugin_utils", "modules"):
        package = importlib.import_module(f"{_PLUGINS}.{folder}")
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    _AnsibleCollectionFinder._remove()
    # The modules stay, their packages are found where each run has its collections.
    for name in [name for name in sys.modules if name.startswith("ansible_collections") and not _stays(name)]:
        del sys.modules[name]


def _prepare_ansible() -> None:
    """Let what is the same for all runs be read once: the settings that there are, what ansible.builtin redirects, templates."""
    from ansible import constants
    from ansible._internal._templating._jinja_bits import AnsibleEnvironment
    from ansible.config.manager import ConfigManager
    from ansible.parsing.dataloader import DataLoader
    from ansible.utils.collection_loader import _collection_finder

    settings = constants.config._base_defs
    ConfigManager._read_config_yaml_file = lambda _self, _path: settings
    AnsibleEnvironment.compile = _compiled_once(AnsibleEnvironment.compile)
    DataLoader.load_from_file = _without_copies(DataLoader.load_from_file)
    _collection_finder._meta_yml_to_dict = cache(_collection_finder._meta_yml_to_dict)


def _without_copies(load: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same method of a loader of files, which reads again what it would copy otherwise: that takes less time."""

    def load_from_file(loader: Any, name: str, cache: str = "all", unsafe: bool = False, **options: Any) -> Any:
        return load(loader, name, cache if unsafe else "none", True, **options)

    return load_from_file


def _compiled_once(compile_template: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same function of an environment of Jinja, which reads the code of what any run has compiled.

    It compiles texts, and expressions that are parsed already: both have a representation that says all of them.
    """

    def compiled(environment: Any, source: Any, *arguments: Any, **options: Any) -> Any:
        how = [getattr(environment, name) for name in _HOW_TEMPLATES_ARE_WRITTEN]
        key = hashlib.sha256(repr((source, arguments, options, how)).encode("utf-8", "surrogatepass")).hexdigest()
        path = Path(_TEMPLATES, key)
        with suppress(OSError, ValueError, EOFError, TypeError):
            return marshal.loads(path.read_bytes())  # noqa: S302 - written below
        code = compile_template(environment, source, *arguments, **options)
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_bytes(marshal.dumps(code))
        unfinished.replace(path)
        return code

    return compiled


def _read_definitions() -> None:
    """Read the options of Ansible's own plugins, and forget where plugins were found."""
    from ansible.plugins import loader

    for kind in ("become", "callback", "connection", "shell", "vars"):
        list(getattr(loader, f"{kind}_loader").all(class_only=True))
    for kind, names in _PLUGINS_USED.items():
        for name in names:
            getattr(loader, f"{kind}_loader").get(name, class_only=True)
    for _kind, each in loader.get_all_plugin_loaders():
        each._clear_caches()


def _stays(name: str) -> bool:
    return bool(re.match(rf"{re.escape(_PLUGINS)}\.(module_utils|plugin_utils|modules)\.", name))


def _become(request: int, output: int, errors: int) -> NoReturn:
    """Go on as the command that is asked for."""
    status: Any = 1
    try:
        os.setsid()
        with open(request, "rb") as file:
            file.seek(0)
            asked: _Request = json.loads(file.read())
        os.dup2(output, 1)
        os.dup2(errors, 2)
        os.closerange(3, max(output, errors) + 1)
        os.environ.clear()
        os.environ.update(asked["environment"])
        time.tzset()
        os.chdir(asked["folder"])
        sys.argv = asked["command"]
        _read_configuration()
        importlib.import_module(_COMMANDS[os.path.basename(sys.argv[0])]).main()
        status = 0
    except SystemExit as end:
        status = end.code
        if isinstance(status, str):
            print(status, file=sys.stderr)
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status if isinstance(status, int) else int(status is not None))


def _read_configuration() -> None:
    """Read configuration file and environment again, as ansible.constants does when it is imported."""
    from ansible import constants
    from ansible.module_utils._internal import _deprecator
    from ansible.plugins import loader

    config, options = constants.config, constants.config._plugins
    vars(config).clear()
    config.__init__()
    config._plugins = options
    for setting in config.get_configuration_definitions():
        constants.set_constant(setting, config.get_config_value(setting, variables=vars(constants)))
    os.symlink(_PACKED, os.path.join(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache"))
    for name in _LOADERS:
        getattr(loader, f"{name}_loader").config = getattr(constants, f"DEFAULT_{name.upper()}_PLUGIN_PATH")
    if not constants.DEPRECATION_WARNINGS:
        # Whose fault it is is looked up in all source files, also where it is not shown.
        _deprecator.get_caller_plugin_info = lambda: None
    if constants.DEFAULT_LOG_PATH:
        _open_log(constants.DEFAULT_LOG_PATH)


def _open_log(path: str) -> None:
    import logging

    from ansible.utils import display

    logging.basicConfig(
        filename=path, level=logging.INFO, format="%(asctime)s p=%(process)d %(levelname)s| %(message)s"
    )
    display.logger = logging.getLogger("ansible")


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
