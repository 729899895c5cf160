# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes an inventory of the tenants of an Integration Server."""

from __future__ import annotations

DOCUMENTATION = r"""
name: tenants
short_description: Tenants of an Integration Server as hosts
version_added: 1.0.0
description:
  - Reads the tenants of an Integration Server and makes a host of each, so that limits, C(serial), forks and the job
    slices of AWX spread tenants. The playbooks and roles for tenants of this collection work on these hosts.
  - All hosts of tenants are in the group C(tenants), which is there also when it is empty, and in groups such as
    C(status_active) and C(type_complete).
  - With O(vms=hosts) the virtual machines of the tenants are hosts too, in the group C(vms). With O(infrastructure_ids) or
    O(svm_state_file) the SVMs of infrastructures are hosts in the group C(svms).
  - A host is named after its tenant, where each run of characters other than letters, digits, C(_), C(.) and C(-) becomes
    one C(_). Where that would be the name of another tenant too, or of a group, or of localhost, the host is called by the
    id of the tenant. A host of a virtual machine is called by its name, a dot and the name of the tenant, or by its BIOS
    id; one of an SVM by its name or its id.
  - The tenant of a host is named by the variable C(ksvla_tenant_name). Whatever the server says about a tenant is in
    C(ksvla_tenant_id), C(ksvla_tenant_type), C(ksvla_tenant_status), C(ksvla_tenant_description),
    C(ksvla_tenant_user_data), C(ksvla_tenant_created), C(ksvla_tenant_updated), C(ksvla_tenant_virtual_server_id),
    C(ksvla_tenant_admin_username) and, with O(vms), C(ksvla_tenant_vm_count).
  - A host of a virtual machine has C(ksvla_vm_name), C(ksvla_vm_id), C(ksvla_vm_bios_id), C(ksvla_vm_user_data),
    C(ksvla_vm_created), C(ksvla_vm_updated), C(ksvla_vm_tenant_name) and C(ksvla_vm_tenant_id).
  - A host of an SVM has C(ksvla_svm_name), C(ksvla_svm_id), C(ksvla_svm_state), C(ksvla_svm_version),
    C(ksvla_svm_location_name) and C(ksvla_svm_location_id) of its hypervisor or project, and
    C(ksvla_svm_infrastructure_name), C(ksvla_svm_infrastructure_id), C(ksvla_svm_infrastructure_type) and
    C(ksvla_svm_infrastructure_address).
  - Texts of the server are never taken for templates, and no password is in the inventory or in its cache.
author:
  - ksvla.light_agent contributors (@ksvla)
extends_documentation_fragment:
  - ksvla.light_agent.connection
  - ksvla.light_agent.multitenancy
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
options:
  plugin:
    description: Marks a file as one of this plugin. The name of the file must end with C(ksvla.yml) or C(ksvla.yaml).
    type: str
    required: true
    choices: [ksvla.light_agent.tenants]
  vms:
    description:
      - How virtual machines appear. With V(count) and V(hosts) they are read, with one request
        for each tenant.
      - V(none) does not read them, V(count) counts them, and V(hosts) makes a host of each.
    type: str
    choices: [none, count, hosts]
    default: none
  concurrency:
    description: How many requests for virtual machines run at once, at most 64.
    type: int
    default: 8
  infrastructure_ids:
    description:
      - Ids of infrastructures by name. Their SVMs become hosts, which takes the account of API 3.0.
    type: dict
    default: {}
  svm_state_file:
    description:
      - The file in which the playbooks for SVMs keep the ids of infrastructures (C(ksvla_svm_state_file)). The SVMs of all
        of them become hosts.
      - A relative path begins at the folder of the inventory file, like that of O(ca_path).
    type: path
  admin_username:
    description:
      - Name of the account of API 3.0, for SVMs.
      - Taken from the environment variable E(KSVLA_ADMIN_USERNAME) when it is not given.
    type: str
    default: admin
  admin_password:
    description:
      - Password of that account.
      - Taken from the environment variable E(KSVLA_ADMIN_PASSWORD) when it is not given.
    type: str
  access_token:
    description:
      - A token to use instead of O(admin_password).
      - Taken from the environment variable E(KSVLA_ACCESS_TOKEN) when it is not given.
    type: str
notes:
  - The values of these options may be templates, such as lookups of passwords, and values encrypted by Ansible Vault.
  - Ansible reports a source that cannot be read as a warning. Set E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) to V(true)
    to make it an error; AWX does.
"""

EXAMPLES = r"""
# ksvla.yml: the tenants of the server that the environment names (KSVLA_HOST, KSVLA_MULTITENANCY_PASSWORD).
plugin: ksvla.light_agent.tenants

---
# berlin.ksvla.yml: with counts of machines, groups by size and by what the user data says, and a cache.
plugin: ksvla.light_agent.tenants
host: ksv.example.com
ca_path: /etc/ksv/ca.pem
password: "{{ lookup('ansible.builtin.unvault', '/etc/ksv/password') | trim }}"
vms: count
groups:
  large: ksvla_tenant_vm_count > 1000
keyed_groups:
  - key: (ksvla_tenant_user_data | from_json).region
    prefix: region
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: /var/cache/ksvla
cache_timeout: 600

---
# svms.ksvla.yml: also the SVMs of the infrastructures that were rolled out with this state file.
plugin: ksvla.light_agent.tenants
svm_state_file: /srv/ksvla/svms.yml
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.module_utils.basic import missing_required_lib
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.display import Display

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import InputError
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.arguments import connection
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.check import misfit
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.definition import (
    ModuleDefinition,
    missing_library,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import TRACE_VERBOSITY
from ansible_collections.ksvla.light_agent.plugins.module_utils._state.state_file.ensure import read_state
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._controller import TaskRun, run_in_controller
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._environment import Options, Variables
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._tenant_inventory import (
    OPTIONS,
    SVMS,
    TENANTS,
    VMS,
    Host,
    by_id,
    named,
    svm_hosts,
    tenant_hosts,
    vm_hosts,
)
from ansible_collections.ksvla.light_agent.plugins.plugin_utils._values import plain

_MODULES = "ansible_collections.ksvla.light_agent.plugins.modules"
_TENANTS_ACCOUNT = {"username": "username", "password": "password"}
_SVMS_ACCOUNT = {"admin_username": "username", "admin_password": "password", "access_token": "access_token"}
"""The options of the account, and what a module calls them."""
_SECRET = ("password", "access_token")

display = Display()


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """The inventory plugin ``ksvla.light_agent.tenants``."""

    NAME = "ksvla.light_agent.tenants"

    def verify_file(self, path: str) -> bool:
        """Return whether the name of the file says that it is one of this plugin."""
        return bool(super().verify_file(path)) and path.endswith(("ksvla.yml", "ksvla.yaml"))

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: dict[str, Any] | None = None) -> None:
        """Take the options of the file, with templates evaluated.

        :raises AnsibleParserError: when one is unknown or has the wrong type, without showing its value.
        """
        direct = direct or {}
        self._given = {name: self._evaluated(name, value) for name, value in direct.items() if name in OPTIONS}
        known = constants.config.get_configuration_definitions(self.plugin_type, self._load_name)
        message = misfit(OPTIONS, {**direct, **self._given}, [name for name in known if name not in OPTIONS])
        if message is not None:
            raise AnsibleParserError(message)
        super().set_options(task_keys, var_options, {**direct, **self._given})

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Read the server, or the cache, and add the hosts.

        :raises AnsibleParserError: when something cannot be read, with the message and the hint of the modules.
        """
        super().parse(inventory, loader, path, cache)
        self._folder = os.path.dirname(os.path.abspath(path))
        self._read_config_data(path)
        found = self._found(path, use_cache=cache)
        machines = self.get_option("vms") == "hosts"
        for group in (TENANTS, *([VMS] if machines else ()), *([SVMS] if found["svms"] else ())):
            self.inventory.add_group(group)
        svms = (host for infrastructure in found["svms"] for host in svm_hosts(**infrastructure))
        # Tenants first: none is called by its id because a machine has its name.
        self._add_all([tenant_hosts(found["tenants"]), vm_hosts(found["tenants"]) if machines else (), svms])

    def _evaluated(self, name: str, value: Any) -> Any:
        self.templar.available_variables = self._vars
        try:
            return plain(self.templar.template(value))
        except AnsibleError as error:
            raise AnsibleParserError(f"{name} cannot be evaluated: {error}") from None

    def _found(self, path: str, *, use_cache: bool) -> dict[str, Any]:
        """Return what the server has, or had when it was written to the cache."""
        vms = self.get_option("vms")
        machines = {
            "include_vms": vms == "hosts",
            "count_vms": vms != "none",
            "concurrency": self.get_option("concurrency"),
        }
        of_tenants = self._options_of("ksvla_tenant_info", _TENANTS_ACCOUNT, **machines)
        of_svms = {
            name: self._options_of("ksvla_infrastructure_info", _SVMS_ACCOUNT, infrastructure_id=identity)
            for name, identity in self._infrastructures().items()
        }
        # What comes from another server or account, or by other options, is another entry of the cache.
        given = [options.for_controller() for options in (of_tenants, *of_svms.values())]
        shown = [{name: value for name, value in each.items() if name not in _SECRET} for each in given]
        key = self.get_cache_key(f"{path} {json.dumps([shown, list(of_svms)], sort_keys=True)}")
        if use_cache and self.get_option("cache"):
            with suppress(KeyError):
                return dict(self._cache[key])
        found = {
            "tenants": self._result("ksvla_tenant_info", of_tenants)["tenants"],
            "svms": [self._svms(name, options) for name, options in of_svms.items()],
        }
        if self.get_option("cache"):
            self._cache[key] = found
        return found

    def _infrastructures(self) -> dict[str, str]:
        """Return the ids of the infrastructures whose SVMs become hosts, by name."""
        ids = dict(self._given.get("infrastructure_ids") or {})
        file = self._given.get("svm_state_file")
        if file:
            try:
                kept = read_state(Path(self._folder, Path(file).expanduser()))["infrastructures"]
            except InputError as error:
                raise AnsibleParserError(f"svm_state_file: {error.message}") from None
            ids = {**kept, **ids}
        # Of one that was disconnected, the file keeps an empty id.
        return {str(name): str(identity) for name, identity in ids.items() if identity}

    def _svms(self, name: str, options: Options) -> dict[str, Any]:
        """Return an infrastructure with its SVMs and its places."""

        def read(**more: Any) -> dict[str, Any]:
            return self._result("ksvla_infrastructure_info", options, **more)

        found = read(object_types=["SVM"])
        places = read()["locations"] if found["vms"] else []
        known = {place["id"] for place in places}
        lost = [svm for svm in found["vms"] if svm.get("parent_id") not in known]
        if lost:
            # In OpenStack, the parent of an SVM may be a hypervisor: the lists of the projects tell.
            lists = {each: read(object_types=["SVM"], parent_id=each)["vms"] for each in known}
            within = {svm["id"]: place_id for place_id, svms in lists.items() for svm in svms}
            for svm in lost:
                svm["parent_id"] = within.get(svm["id"])
        return {"name": name, "found": found, "places": places}

    def _options_of(self, module: str, account: dict[str, str], **more: Any) -> Options:
        """Return the options of a module: those of the file, and else those of the environment."""
        names = {**{name: name for name in connection()}, **account}
        given = {option: self._given[name] for name, option in names.items() if name in self._given}
        return Options(_definition(module), {**given, **more}, Variables(os.environ, {}))

    def _result(self, module: str, options: Options, **more: Any) -> dict[str, Any]:
        """Return what a module that only reads returns, without the secrets of its options.

        :raises AnsibleParserError: when it fails.
        """
        library = missing_library()
        if library is not None:
            raise AnsibleParserError(missing_required_lib(library))
        run = TaskRun(
            check_mode=True,
            diff=False,
            environment={},
            folder=self._folder,
            progress=lambda _subject, _text: None,
            trace=display.vvv if display.verbosity >= TRACE_VERBOSITY else lambda _line: None,
            invocation=False,
        )
        result = run_in_controller(_definition(module), {**options.for_controller(), **more}, run)
        for warning in result.get("warnings", ()):
            display.warning(warning)
        if result.get("failed"):
            raise AnsibleParserError(" ".join(filter(None, (options.explain(result["msg"]), result.get("hint")))))
        return result

    def _add_all(self, kinds: Iterable[Iterable[Host]]) -> None:
        """Add the hosts, each kind by names that those before have left."""
        before = set(self.inventory.hosts)
        taken = set(self.inventory.groups)
        added: list[tuple[str, Host]] = []
        for hosts in kinds:
            chosen = list(named(hosts, taken))
            taken.update(name for name, _host in chosen)
            added.extend(chosen)
        for name, host in added:
            self._add(name, host)
        occupied = taken | set(self.inventory.groups)
        for name, host in added:
            # The variables may have made a group that is called like a host.
            if name in self.inventory.groups and name not in before:
                self.inventory.remove_host(self.inventory.hosts[name])
                self._add(by_id(host, occupied), host)

    def _add(self, name: str, host: Host) -> None:
        for group in host.groups:
            self.inventory.add_host(name, group=self.inventory.add_group(group))
        # At once, since Ansible looks at each variable that it is given, which takes longer than to read the server.
        self.inventory.get_host(name).vars.update(host.variables)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), host.variables, name, strict)
        self._add_host_to_composed_groups(self.get_option("groups"), host.variables, name, strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), host.variables, name, strict)


def _definition(module: str) -> ModuleDefinition:
    definition: ModuleDefinition = import_module(f"{_MODULES}.{module}").DEFINITION
    return definition
