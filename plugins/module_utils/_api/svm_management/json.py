# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading JSON of API 3.0: its keys in one spelling, whatever the server's case.

The pages write some keys in two ways (``readOnly`` and ``readonly``). So every key that the pages know becomes one
name in snake case, found without regard to case; a key that they do not know is turned into snake case as it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Optional

from ..._errors import UnexpectedAnswer
from ..._transport.answer import Answer, parse_json

_NAMES = """
    access_token refresh_token value session id created_at updated_at active_to valid_to address thumbprint
    data viis_validation_result is_accepted validation_warnings validation_errors infrastructure_id type name
    display_name version edition accounts admin readonly domain specific_settings protocol region regions
    endpoints connection_info status connection_error error error_message error_code message code details
    primary_server_address update_period_seconds manifest manifest_url svm_version size vendor_info
    product_name vendor description publisher hypervisors locations vms parent_id state resources networks
    storages free_space volume_types security_groups server_groups flavors vcpus ram_in_megabytes
    disk_in_gigabytes suitable_for_svm_versions availability_zones network_adapters is_svm created
    state_changed changed stage progress children result parameters key svm_name svm_id host_id svm_ip_address
    deploy_step_name
"""
_BY_LOWER = {name.replace("_", ""): name for name in _NAMES.split()}
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def read(answer: Answer) -> Any:
    """Return the body of an answer with its keys in snake case; None for an empty body; or raise UnexpectedAnswer."""
    text = answer.text.strip()
    try:
        return with_plain_keys(parse_json(text)) if text else None
    except ValueError:
        raise UnexpectedAnswer(
            f"The server answered with {answer.status}, but the body is not valid JSON.",
            status=answer.status,
            hint="Check that host and port are those of an Integration Server of version 6.2 or later.",
        ) from None


def read_object(answer: Answer) -> dict[str, Any]:
    """Return the object that is the body of an answer; raise UnexpectedAnswer when it is not an object."""
    value = read(answer)
    if not isinstance(value, dict):
        raise UnexpectedAnswer(
            f"The server answered with {answer.status}, but the body is not a JSON object.", status=answer.status
        )
    return value


def body(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def with_plain_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {plain_key(str(key)): with_plain_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_plain_keys(item) for item in value]
    return value


@lru_cache(maxsize=1024)
def plain_key(key: str) -> str:
    """Return a key in snake case: as it is known, or as it is written."""
    known = _BY_LOWER.get(key.replace("_", "").lower())
    return known or _WORD_START.sub("_", key).lower()


def part(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; one alone may stand without the list, as the page about OpenStack has a region."""
    return [item for item in (value if isinstance(value, list) else [value]) if item and isinstance(item, dict)]


def text(value: Any) -> Optional[str]:
    """Return a single value as text, or None where it is missing, an object or a list."""
    if value is None or isinstance(value, (dict, list)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def scalars(value: Mapping[str, Any]) -> dict[str, str]:
    """Return the single values of an object as texts, see :func:`text`."""
    found = ((key, text(item)) for key, item in value.items())
    return {key: item for key, item in found if item is not None}


def texts(value: Any) -> list[str]:
    """Return a list of texts; for an object in it, its message, or else the object as JSON."""
    found = []
    for item in value if isinstance(value, list) else [value]:
        plain = text(item)
        if plain is None and isinstance(item, dict):
            plain = text(item.get("message")) or json.dumps(item, ensure_ascii=False)
        if plain:
            found.append(plain)
    return found


def listed(value: Any, needed: Sequence[str]) -> Optional[list[dict[str, Any]]]:
    """Return the objects of a list that is not documented, bare or below any key; None when it is something else.

    :param needed: Keys of which each object must have one.
    """
    if isinstance(value, list):
        items = objects(value)
        fits = len(items) == len(value) and all(any(item.get(key) for key in needed) for item in items)
        return items if fits else None
    if isinstance(value, dict):
        candidates = [item for item in value.values() if isinstance(item, list)]
        return listed(candidates[0], needed) if len(candidates) == 1 else None
    return None
