# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usual file options inside the controller, by the very code that modules use for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.ksvla.light_agent.plugins.module_utils._module.run import refuse_attribute


class ControllerFileAttributes:
    """Applies file attributes with the methods of ``AnsibleModule``, without making a module of the controller.

    Those methods need little of the object that they belong to; its constructor, which reads the parameters of a module
    process, is left out.
    """

    def __init__(self, *, check_mode: bool) -> None:
        module = AnsibleModule.__new__(AnsibleModule)
        module.check_mode = check_mode
        module._diff = False
        module._debug = False
        module._selinux_enabled = None
        module._selinux_mls_enabled = None
        module._selinux_initial_context = None
        module._selinux_special_fs = []
        module._clean = {}
        module._name = "ksvla.light_agent"
        module.run_command_environ_update = {}
        module.params = {}
        module.fail_json = refuse_attribute
        module.warn = lambda _text: None
        self._module = module

    def apply(self, path: str, parameters: Mapping[str, Any], *, changed: bool) -> bool:
        arguments = self._module.load_file_common_arguments(dict(parameters), path=path)
        return bool(self._module.set_fs_attributes_if_different(arguments, changed))

    def add_facts(self, result: dict[str, Any]) -> None:
        """Add owner, mode and the like of the file that a result names, as modules do."""
        self._module.add_path_info(result)
