# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls that register and verify images."""

from __future__ import annotations

from aiohttp import web

from simulator.errors import ApiError
from simulator.state import StateRegistry
from simulator.svm_management.answers import answer, listing
from simulator.svm_management.elements import no_body, read_body
from simulator.svm_management.images import Image, Images, is_manifest
from simulator.svm_management.queries import query
from simulator.svm_management.settings import SvmSettings
from simulator.svm_management.task_answers import TaskAnswers
from simulator.tasks import Step, TaskEngine, TaskFailure, TaskPlan


class ImageCalls:
    """Source: 'SVM image registration request', 'Verifying the authenticity of the SVM image'."""

    def __init__(
        self, settings: SvmSettings, images: Images, engine: TaskEngine, answers: TaskAnswers, state: StateRegistry
    ) -> None:
        self._settings = settings
        self._images = images
        self._engine = engine
        self._answers = answers
        self._state = state

    def routes(self, prefix: str) -> list[web.RouteDef]:
        """The routes of these calls."""
        path = f"{prefix}/management/deployment/svm/images"
        return [
            web.post(f"{path}/register/manifest", self.register),
            web.put(f"{path}/{{image_id}}/validate", self.validate),
            web.get(path, self.list, allow_head=False),
        ]

    async def register(self, request: web.Request) -> web.Response:
        """Registers an image for platform types: 200, 400; 409 where that is wanted."""
        query(request)
        body = (await read_body(request)).object(["manifestUrl", "hypervisors"])
        url = body["manifestUrl"].text()
        if not is_manifest(url):
            raise body["manifestUrl"].refuse("has to be the absolute path of an .xml file")
        types: list[str] = []
        for element in body["hypervisors"].items():
            kind = element.object(["type"])["type"]
            if kind.word(*self._images.known_types()) in types:
                raise kind.refuse("stands twice")
            types.append(kind.text())
        if not self._images.readable(url):
            raise body["manifestUrl"].refuse("names a file that cannot be read")
        again = self._images.of(url)
        if again is not None and self._settings.register_again == "refuse":
            raise ApiError(409, "This image is registered already.")
        if again is not None and self._settings.register_again == "same":
            again.types = [*again.types, *(each for each in types if each not in again.types)]
            image = again
        else:
            image = self._images.add(url, types)
        self._state.touch()
        return answer(image.to_answer())

    async def validate(self, request: web.Request) -> web.Response:
        """Starts a ValidateSvmImage task: 200, 404."""
        query(request)
        await no_body(request)
        image = self._images.get(request.match_info["image_id"])
        if image is None:
            raise ApiError(404, "There is no SVM image with this id.")
        steps = [
            Step("CheckManifest"),
            Step("CheckSvmImage", lambda: check_image(self._settings, image), weight=3.0),
        ]
        return self._answers.started(self._engine.submit(TaskPlan("ValidateSvmImage", "3.0", steps)))

    async def list(self, request: web.Request) -> web.Response:
        """All images, where the call exists: 200, 404."""
        if not self._settings.list_images:
            raise ApiError(404, "Not found.")
        await no_body(request)
        return listing(self._settings, "images", [image.to_answer() for image in self._images.all()])


def check_image(settings: SvmSettings, image: Image) -> None:
    """Verifies an image. Raises TaskFailure."""
    if settings.image_damaged:
        raise TaskFailure(None, f"The SVM image {image.id} is damaged or not authentic.")
