# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joins API 3.0 to the server."""

from __future__ import annotations

from aiohttp import web

from simulator.context import Context
from simulator.svm_management.access import TokenCalls, guard
from simulator.svm_management.certificate_calls import CertificateCalls
from simulator.svm_management.certificates import Certificates
from simulator.svm_management.connection import Connector
from simulator.svm_management.image_calls import ImageCalls
from simulator.svm_management.images import Images
from simulator.svm_management.infrastructure_answers import InfrastructureAnswers
from simulator.svm_management.infrastructure_calls import InfrastructureCalls
from simulator.svm_management.object_calls import ObjectCalls
from simulator.svm_management.seeds import SvmSeeds
from simulator.svm_management.settings import SvmSettings
from simulator.svm_management.store import Infrastructures
from simulator.svm_management.svm_calls import SvmCalls
from simulator.svm_management.svm_requests import SvmRequests
from simulator.svm_management.svm_tasks import SvmTasks
from simulator.svm_management.task_answers import TaskAnswers
from simulator.svm_management.task_calls import TaskCalls

PREFIX = "/api/3.0"


def setup(app: web.Application, context: Context) -> None:
    """Adds the calls, the account check, the settings, the seeds and the state of API 3.0."""
    settings = SvmSettings()
    context.space.add(settings)
    certificates = Certificates(settings)
    connector = Connector(settings, certificates)
    store = Infrastructures(settings, context.clock, connector, context.state.touch, context.effects.note)
    context.state.register("certificates", certificates)
    context.state.register("infrastructures", store)
    images = Images(settings, context.effects.note)
    context.state.register("images", images)
    seeds = SvmSeeds(settings, store, certificates)
    context.state.on_seed("trusted", seeds.trusted)
    context.state.on_seed("infrastructures", seeds.infrastructures)
    context.state.on_seed("images", images.seed)
    answers = InfrastructureAnswers(settings, connector)
    task_answers = TaskAnswers(settings, context.settings, context.tasks)
    svm_tasks = SvmTasks(settings, context.tasks, context.random, context.effects.note)
    app.add_routes(TokenCalls(settings, context.tokens).routes(PREFIX))
    app.add_routes(CertificateCalls(certificates, context.state).routes(PREFIX))
    app.add_routes(InfrastructureCalls(settings, store, answers).routes(PREFIX))
    app.add_routes(ObjectCalls(settings, store).routes(PREFIX))
    app.add_routes(ImageCalls(settings, images, context.tasks, task_answers, context.state).routes(PREFIX))
    app.add_routes(SvmCalls(SvmRequests(settings, store, images), svm_tasks, task_answers).routes(PREFIX))
    app.add_routes(TaskCalls(settings, context.tasks, task_answers).routes(PREFIX))
    app.middlewares.append(guard(settings, context.accounts, context.tokens, PREFIX, store.settle))
