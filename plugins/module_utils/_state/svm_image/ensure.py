# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The desired state of an SVM image: registered, and its authenticity verified. Read, compare, plan, apply."""

from __future__ import annotations

from typing import Any, Optional

from ..._api import connect
from ..._api.svm_management.records import Image
from ..._errors import KsvlaError
from ..._module.context import Context, Parameters, Result
from ..._tasks.poller import Poller, Waiting
from ..change import Change, diff_of
from ..infrastructure.platforms import warn_of_unknown_types
from .apply import Images, ImageVerifier, UnknownImage
from .wanted import WantedImage, wanted_image

REGISTER = "register"


def ensure_image(parameters: Parameters, context: Context) -> Result:
    """Register an image unless it is registered, verify it if that is wanted, and return it with the task."""
    wanted = wanted_image(parameters)
    warn_of_unknown_types(wanted.types, context)
    poller = Poller(Waiting.from_parameters(parameters), context)
    server, settings = connect.svm_management(parameters, context)
    api, memory = server.within(poller.deadline), context.memory(settings.origin)
    images = Images(api, poller, memory)
    before = images.find(wanted)
    changes = plan(wanted, before)
    after = changes[0].after if changes else before
    image = after.as_dict() if after else None
    result: Result = {"changed": bool(changes), "image": image, "task": None, "remaining": []}
    known = before
    while not context.check_mode:
        after = known or images.ensure(wanted)
        result.update(changed=images.changed, image=after.as_dict())
        try:
            if wanted.verify:
                result["task"] = ImageVerifier(api, poller, memory, settings.retries).verify(after.id).as_dict()
            break
        except KsvlaError as error:
            if known is None or not isinstance(error, UnknownImage) or not images.forget(wanted, known):
                error.add_details(**result)
                raise
            known = None
    if context.diff:
        result["diff"] = diff_of(f"SVM image {wanted.label}", _shown(before, wanted), _shown(after, wanted))
    return result


def plan(wanted: WantedImage, found: Optional[Image]) -> list[Change[Image]]:
    """Return the one change that is needed, or none; verifying an image changes nothing."""
    return [] if found else [Change(REGISTER, None, wanted.image())]


def _shown(image: Optional[Image], wanted: WantedImage) -> dict[str, Any]:
    if image is None:
        return {}
    path = image.manifest_url or wanted.manifest_path or None
    return {"manifest_path": path, "infrastructure_types": image.infrastructure_types}
