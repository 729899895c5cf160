# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for what the pages leave open, the same for XML and JSON: case, one or many, text or number, where an id stands.

A decoded answer is made of dictionaries, lists and single values. The pages write some keys in two ways (``readOnly`` and
``readonly``), so every key that they know becomes one name in snake case, found without regard to case; a key that they do
not know is turned into snake case as it stands. The own text of an XML element that has attributes or children is ``#text``.

The pages say that an answer "returns the identifier" and do not show how. Accepted are an element with an ``id`` attribute,
an element whose text is the id, bare text, a JSON string or object, and a ``Location`` header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from typing import Any, Optional
from urllib.parse import unquote

from .._errors import UnexpectedAnswer
from .._transport.answer import Answer, parse_json
from .._validation import UUID
from . import xml

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
    deploy_step_name updated user_data vksc bios_id task_id tenant_id report_id
"""
_BY_LOWER = {name.replace("_", ""): name for name in _NAMES.split()}
_IDS = ("id", "parent_id")
"""Keys of ids, which are numbers on some platforms: an id is a text, since it is compared and given as one."""
_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LONE_ID = re.compile(r"(?=\D*\d)[\w.:{}-]+")
"""What may be an id by itself: one word with a digit, unlike ``OK``."""
_LOCATION = re.compile(r"/tasks/([^/?#]+)/?(?:[?#].*)?$", re.IGNORECASE)


@lru_cache(maxsize=1024)
def plain_key(key: str) -> str:
    """Return a key in snake case, without the namespace of XML: as it is known, or as it is written."""
    key = key.rpartition(":")[2]
    known = _BY_LOWER.get(key.replace("_", "").lower())
    return known or _WORD_START.sub("_", key).lower()


def plain(value: Any) -> Any:
    """Return a value with all its keys in snake case, and with ids that are texts."""
    if isinstance(value, dict):
        pairs = ((plain_key(str(key)), plain(item)) for key, item in value.items())
        return {key: str(item) if key in _IDS and isinstance(item, (int, float)) else item for key, item in pairs}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def at(value: Any, *keys: str) -> Any:
    """Return what stands below keys, from the outermost on, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; one alone may stand without the list, as the page about OpenStack has a region."""
    return [item for item in (value if isinstance(value, list) else [value]) if item and isinstance(item, dict)]


def text(value: Any) -> Optional[str]:
    """Return a single value as text, of several the first; None where it is missing or an object."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("#text")
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None or isinstance(value, (dict, list)) else str(value)


def fields(value: dict[str, Any]) -> dict[str, str]:
    """Return the single values of an object, without those of the objects in it."""
    found = ((key, text(item)) for key, item in value.items())
    return {key: item for key, item in found if item is not None}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Return all single values, each with its keys from the outermost on, such as ``accounts.admin.name``."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, path if key == "#text" else f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, path)
    elif value is not None:
        yield path, str(value) if not isinstance(value, bool) else str(value).lower()


def texts(value: Any) -> dict[str, str]:
    """Return all single values by their keys, see :func:`leaves`; of several the first."""
    found: dict[str, str] = {}
    for path, item in leaves(value):
        found.setdefault(path, item)
    return found


def messages(value: Any) -> list[str]:
    """Return one text for each item of a list: all that an object says, in one line."""
    lines = (" ".join(item for _path, item in leaves(one)) for one in (value if isinstance(value, list) else [value]))
    return [line for line in lines if line]


# ---- identifiers ------------------------------------------------------------------------------------------------------


def ids_of(value: dict[str, Any]) -> tuple[str, str]:
    """Return the ids of an object and of its parent, in lower case, empty where they are missing."""
    own, parent = (bare(text(value.get(key)) or "").lower() for key in ("id", "parent_id"))
    return own, parent


def bare(found: str) -> str:
    """Return an id without blanks around it, and without the braces in which some write a UUID: it has one form."""
    return found.strip().strip("{}")


def same_id(one: str, other: str) -> bool:
    """Return whether two texts are one id: neither letter case nor the braces of a UUID make a difference."""
    return bare(one).lower() == bare(other).lower()


def task_id_in(answer: Answer) -> str:
    """Return the id of the task that a 202 answer announces; raise UnexpectedAnswer when there is none."""
    match = _LOCATION.search(answer.headers.get("location", ""))
    found = bare(unquote(match.group(1))) if match else identifier(answer.text, "task")
    if found is None:
        raise UnexpectedAnswer(
            f"The server accepted the request with {answer.status}, but did not say which task carries it out.",
            status=answer.status,
            hint="Look for it with ksvla_task_info.",
        )
    return found


def identifier(value: Any, name: str) -> Optional[str]:
    """Return the id in a decoded answer or a task's result: of the element of that name, or else the outermost there is.

    :param value: Nested keys, or text that may hold XML or JSON.
    :param name: The element that the id belongs to, such as ``tenant``.
    """
    found = [(path, bare(text)) for path, text in leaves(_decoded(value))]
    # The keys of an object have no order: what stands in it, such as a child of a task, may come before its own id.
    found.sort(key=lambda one: one[0].count("."))
    # Markup that cannot be read, such as a page of a proxy, names nothing: an id in it may be anything's.
    found = [(path, text) for path, text in found if not text.startswith("<")]
    uuids = [(path, match.group()) for path, match in ((path, UUID.search(text)) for path, text in found) if match]
    words = [(path, text) for path, text in found if _LONE_ID.fullmatch(text)]
    candidates = [
        *_at(rf"{name}[._]id", found),
        *_at(name, [*uuids, *words]),
        *_at("id|identifier", found),
        *(uuid for _path, uuid in uuids),
        *(word for _path, word in words if len(words) == 1),
    ]
    return next(filter(None, candidates), None)


def _at(keys: str, found: list[tuple[str, str]]) -> list[str]:
    """Return the texts whose last keys are these."""
    return [text for path, text in found if re.search(rf"(?:^|\.)(?:{keys})$", path)]


def _decoded(value: Any) -> Any:
    """Return a value in which each text that is JSON or XML is what it holds, with plain keys."""
    if isinstance(value, dict):
        return {key: _decoded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_decoded(item) for item in value]
    if not isinstance(value, str):
        return value
    inner = embedded(value)
    return value.strip().lstrip("\ufeff") if inner is None else _decoded(inner)


def embedded(text: str) -> Any:
    """Return what a text holds that is JSON or XML, with plain keys, or None when it is neither."""
    text = text.strip().lstrip("\ufeff")
    if text[:1] in ('"', "{", "["):
        with suppress(ValueError):
            return plain(parse_json(text))
    elif "<" in text or "&lt;" in text:
        return plain(xml.read_embedded(text))
    return None
