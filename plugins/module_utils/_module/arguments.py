# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules share, as argument specs.

They are described for the user in the documentation fragments ``connection``, ``multitenancy``, ``svm_management`` and
``waiting``; a test holds both equal. The action plugin takes options that are not given from environment variables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Options = dict[str, dict[str, Any]]

MULTITENANCY = "multitenancy"
SVM_MANAGEMENT = "svm_management"

TEXT_OR_JSON: dict[str, Any] = {"type": "raw"}
"""The spec of an option that takes text; a dictionary or list is stored as JSON."""

_OF_EACH_MODULE = ("host", "port", "validate_certs", "ca_path", "fingerprint", "request_timeout", "retries")
_VARIABLES = {option: f"KSVLA_{option.upper()}" for option in (*_OF_EACH_MODULE, "unreachable_timeout")}
_ACCOUNT_VARIABLES = {
    MULTITENANCY: {"username": "KSVLA_MULTITENANCY_USERNAME", "password": "KSVLA_MULTITENANCY_PASSWORD"},
    SVM_MANAGEMENT: {
        "username": "KSVLA_ADMIN_USERNAME",
        "password": "KSVLA_ADMIN_PASSWORD",
        "access_token": "KSVLA_ACCESS_TOKEN",
    },
}


def variables_of(options: Options, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variable of each option that can be taken from one.

    :param options: The module's options, which show which API it speaks.
    :param arguments: The task's arguments; ``api`` decides for a module that speaks either API.
    """
    if "api" in options:
        api = arguments.get("api") or options["api"]["default"]
    else:
        api = SVM_MANAGEMENT if "access_token" in options else MULTITENANCY
    account = _ACCOUNT_VARIABLES.get(api, {}) if isinstance(api, str) else {}
    return {option: variable for option, variable in {**_VARIABLES, **account}.items() if option in options}


def connection() -> Options:
    return {
        "host": {"type": "str"},
        "port": {"type": "int", "default": 7271},
        "validate_certs": {"type": "bool", "default": True},
        "ca_path": {"type": "path"},
        "fingerprint": {"type": "str"},
        "request_timeout": {"type": "float", "default": 30},
        "retries": {"type": "int", "default": 5},
    }


def multitenancy_account() -> Options:
    return {
        "username": {"type": "str", "default": "multitenancy"},
        "password": {"type": "str", "no_log": True},
    }


def svm_management_account() -> Options:
    return {
        "username": {"type": "str", "default": "admin"},
        "password": {"type": "str", "no_log": True},
        "access_token": {"type": "str", "no_log": True},
    }


def either_api() -> Options:
    """Return the options of modules that speak either API; the account's defaults follow the API that is chosen."""
    return {
        **svm_management_account(),
        "api": {"type": "str", "choices": [MULTITENANCY, SVM_MANAGEMENT], "default": MULTITENANCY},
        "username": {"type": "str"},
    }


def waiting(timeout: int, *, cancel: bool = False) -> Options:
    """Return the options about waiting.

    :param timeout: The default time to wait, in seconds.
    :param cancel: Whether the task can be canceled when the time is up, as in API 2.0 alone.
    """
    options: Options = {
        "wait": {"type": "bool", "default": True},
        "wait_timeout": {"type": "float", "default": timeout},
        "wait_sleep": {"type": "float", "default": 5},
        "unreachable_timeout": {"type": "float", "default": 120},
    }
    if cancel:
        options["cancel_on_timeout"] = {"type": "bool", "default": False}
    return options
