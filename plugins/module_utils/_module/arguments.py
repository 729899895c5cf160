# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that modules share, as argument specs.

They are described for the user in the documentation fragments ``connection``, ``multitenancy``, ``svm_management`` and
``waiting``; a test holds both equal.
"""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.parameters import env_fallback

Options = dict[str, dict[str, Any]]

MULTITENANCY = "multitenancy"
SVM_MANAGEMENT = "svm_management"


def _fallback(*variables: str) -> tuple[Any, list[str]]:
    return (env_fallback, list(variables))


def connection() -> Options:
    """Return the options that tell where the Integration Server is and how to talk to it."""
    return {
        "host": {"type": "str", "fallback": _fallback("KSVLA_HOST")},
        "port": {"type": "int", "default": 7271, "fallback": _fallback("KSVLA_PORT")},
        "validate_certs": {"type": "bool", "default": True, "fallback": _fallback("KSVLA_VALIDATE_CERTS")},
        "ca_path": {"type": "path", "fallback": _fallback("KSVLA_CA_PATH")},
        "fingerprint": {"type": "str", "fallback": _fallback("KSVLA_FINGERPRINT")},
        "request_timeout": {"type": "float", "default": 30, "fallback": _fallback("KSVLA_REQUEST_TIMEOUT")},
        "retries": {"type": "int", "default": 5, "fallback": _fallback("KSVLA_RETRIES")},
    }


def multitenancy_account() -> Options:
    """Return the options of the account of API 2.0."""
    return {
        "username": {
            "type": "str",
            "default": "multitenancy",
            "fallback": _fallback("KSVLA_MULTITENANCY_USERNAME"),
        },
        "password": {"type": "str", "no_log": True, "fallback": _fallback("KSVLA_MULTITENANCY_PASSWORD")},
    }


def svm_management_account() -> Options:
    """Return the options of the account of API 3.0."""
    return {
        "username": {"type": "str", "default": "admin", "fallback": _fallback("KSVLA_ADMIN_USERNAME")},
        "password": {"type": "str", "no_log": True, "fallback": _fallback("KSVLA_ADMIN_PASSWORD")},
        "access_token": {"type": "str", "no_log": True, "fallback": _fallback("KSVLA_ACCESS_TOKEN")},
    }


def either_api() -> Options:
    """Return the options of modules that speak either API; the account's defaults follow the API that is chosen."""
    return {
        "api": {"type": "str", "choices": [MULTITENANCY, SVM_MANAGEMENT], "default": MULTITENANCY},
        "username": {"type": "str"},
        "password": {"type": "str", "no_log": True},
        "access_token": {"type": "str", "no_log": True},
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
        "unreachable_timeout": {
            "type": "float",
            "default": 120,
            "fallback": _fallback("KSVLA_UNREACHABLE_TIMEOUT"),
        },
    }
    if cancel:
        options["cancel_on_timeout"] = {"type": "bool", "default": False}
    return options
