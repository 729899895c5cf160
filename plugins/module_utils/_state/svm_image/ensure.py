# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of an SVM image: registered, and its authenticity verified."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Optional

from ..._api import connect
from ..._api.svm_management.calls import SvmManagementApi
from ..._api.svm_management.records import Image
from ..._errors import ApiError, InputError, OutcomeUnknown
from ..._module.context import Context, Parameters, Result
from ..._tasks.journal import TaskJournal
from ..._tasks.poller import Poller, Waiting
from ..._tasks.turns import Turns
from ..._validation import require_manifest_path, require_text
from ..change import diff_of
from .verify import ImageVerifier

_REMEMBERED_SECONDS = 10 * 365 * 24 * 3600
_NUMA = "NUMAVSERVER"
_NUMA_OTHERWISE = "NUMAVERSER"
"""The page about images spells this type in another way than all others do."""


def ensure_image(parameters: Parameters, context: Context) -> Result:
    """Register an image unless it is registered, verify it if that is wanted, and return it with the task.

    :raises TaskFailed: when the image is not authentic.
    """
    _check(parameters)
    waiting = Waiting.from_parameters(parameters)
    api, settings = connect.svm_management(parameters, context)
    memory = TaskJournal(settings.origin, kind="images", kept_seconds=_REMEMBERED_SECONDS)
    read_at = time.time()
    before = _find(api, memory, parameters, context)
    register = before is None
    result: Result = {"changed": register, "image": before.as_dict() if before else None, "task": None, "remaining": []}
    after = before
    if register and context.check_mode:
        after = Image(
            "", None, None, {}, list(dict.fromkeys(parameters["infrastructure_types"])), parameters["manifest_path"]
        )
    elif register:
        with Turns(settings.origin).take(_subject(parameters), read_at) as others:
            memory.reread()
            after = (_find(api, memory, parameters, context) if others else None) or _register(
                api, memory, parameters, context
            )
    result["image"] = after.as_dict() if after else None
    if parameters["validate_image"] and after is not None and not context.check_mode:
        verifier = ImageVerifier(
            api, TaskJournal(settings.origin), Turns(settings.origin), Poller(waiting, context), context
        )
        verifier.verify(after.id, result)
    if context.diff:
        result["diff"] = diff_of("SVM image", _shown(before, parameters), _shown(after, parameters))
    return result


def _check(parameters: Parameters) -> None:
    require_manifest_path(parameters.get("manifest_path"), "manifest_path")
    require_text(parameters.get("image_id"), "image_id")
    if parameters.get("image_id") is None and not parameters.get("manifest_path"):
        raise InputError("Give image_id of an image that is registered, or manifest_path to register one.")
    if parameters.get("image_id") is None and not parameters.get("infrastructure_types"):
        raise InputError("infrastructure_types is missing: name the platforms on which the image will be deployed.")


def _find(api: SvmManagementApi, memory: TaskJournal, parameters: Parameters, context: Context) -> Optional[Image]:
    """Return the image of the id given, or the one of the same manifest where the server lists images, or None.

    Where the list does not show manifests, an image is known that was registered from this machine and is still listed.
    No page documents the list, so that an id is never refused for it: whether it is known shows when it is verified.
    """
    listed = api.images()
    if parameters.get("image_id") is not None:
        image_id = parameters["image_id"]
        known = [one for one in listed or [] if one.id.lower() == image_id.lower()]
        if listed and not known:
            context.warn(f"The server's list of images does not show the image {image_id}.")
        types = list(parameters.get("infrastructure_types") or [])
        return known[0] if known else Image(image_id, None, None, {}, types)
    wanted = {_same_type(each) for each in parameters["infrastructure_types"]}
    remembered = memory.ids_about(_subject(parameters)) if listed else []
    for one in listed or []:
        types_fit = wanted <= {_same_type(each) for each in one.infrastructure_types}
        same = _same_path(one.manifest_url, parameters["manifest_path"]) if one.manifest_url else one.id in remembered
        if same and types_fit:
            return one
    return None


def _subject(parameters: Parameters) -> str:
    return f"image {parameters['manifest_path']}"


def _same_path(one: str, other: str) -> bool:
    """Return whether two paths on the server are the same; the server may run on Windows or on Linux."""
    if "\\" in one or "\\" in other:
        return one.replace("\\", "/").lower() == other.replace("\\", "/").lower()
    return one == other


def _same_type(infrastructure_type: str) -> str:
    upper = infrastructure_type.upper()
    return _NUMA if upper == _NUMA_OTHERWISE else upper


def _register(api: SvmManagementApi, memory: TaskJournal, parameters: Parameters, context: Context) -> Image:
    image = _registered(api, memory, parameters, context)
    memory.remember(image.id, _subject(parameters))
    return image


def _registered(api: SvmManagementApi, memory: TaskJournal, parameters: Parameters, context: Context) -> Image:
    path, types = parameters["manifest_path"], list(dict.fromkeys(parameters["infrastructure_types"]))
    try:
        try:
            return _with_types(api.register_image(path, types), types)
        except ApiError as error:
            if _NUMA not in types or error.status not in (400, 404, 409, 422):
                raise
            otherwise = [_NUMA_OTHERWISE if each == _NUMA else each for each in types]
            try:
                return _with_types(api.register_image(path, otherwise), types)
            except ApiError:
                raise error from None
    except OutcomeUnknown as error:
        found = _find(api, memory, parameters, context)
        if found is not None:
            return found
        error.hint = (
            "Whether the image was registered is unknown. If the Integration Server's log or console shows it, repeat "
            "with its image_id; otherwise repeat as it is."
        )
        raise
    except ApiError as error:
        if error.status == 400 and error.hint is None:
            error.hint = (
                f"manifest_path is the absolute path of the image's description (*.xml) on the machine of the "
                f"Integration Server, in the same folder as the image: {path}."
            )
        raise


def _with_types(image: Image, types: Sequence[str]) -> Image:
    """Return the image with the platforms in one spelling, and those asked for where the server names none."""
    named = [_same_type(each) for each in image.infrastructure_types] or list(types)
    return Image(**{**image.__dict__, "infrastructure_types": named})


def _shown(image: Optional[Image], parameters: Parameters) -> dict[str, Any]:
    if image is None:
        return {}
    path = image.manifest_url or parameters.get("manifest_path")
    return {"manifest_path": path, "infrastructure_types": image.infrastructure_types}
