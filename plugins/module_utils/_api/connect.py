# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's parameters to the API it speaks."""

from __future__ import annotations

from typing import Union

from .._module.arguments import MULTITENANCY, SVM_MANAGEMENT
from .._module.context import Context, Parameters
from .._text import basic_authorization
from .._transport.connection import Connection
from .._transport.session import Session
from .._transport.settings import ConnectionSettings
from .multitenancy.calls import MultitenancyApi
from .svm_management import login
from .svm_management.calls import SvmManagementApi


def multitenancy(parameters: Parameters, context: Context) -> tuple[MultitenancyApi, ConnectionSettings]:
    """Return API 2.0 of the server that the parameters name, over a connection kept for the process.

    :raises InputError: when a connection option is missing or invalid.
    """
    settings = ConnectionSettings.from_parameters(parameters)
    connection = prepared(context.connections.connection(MULTITENANCY, settings), context)
    connection.authentication = basic_authorization(settings.username or "", settings.password or "")
    return MultitenancyApi(Session(connection)), settings


def svm_management(parameters: Parameters, context: Context) -> tuple[SvmManagementApi, ConnectionSettings]:
    """Return API 3.0 of the server that the parameters name, over a connection and a token kept for the process.

    :raises InputError: when a connection option is missing or invalid.
    :raises ApiError: when the server refuses the account.
    """
    settings = ConnectionSettings.from_parameters(parameters)
    connection = prepared(context.connections.connection(SVM_MANAGEMENT, settings), context)
    login.authenticate(connection)
    return SvmManagementApi(Session(connection)), settings


def prepared(connection: Connection, context: Context) -> Connection:
    """Let a connection serve a task."""
    connection.trace = context.trace
    connection.progress = context.progress
    connection.check_mode = context.check_mode
    connection.clock = context.clock
    return connection


def tasks(parameters: Parameters, context: Context) -> Union[MultitenancyApi, SvmManagementApi]:
    """Return the API that the option ``api`` names, as its usual account where none is given."""
    usual = "multitenancy" if parameters["api"] == MULTITENANCY else "admin"
    given = {**parameters, "username": usual} if parameters.get("username") is None else parameters
    if parameters["api"] == MULTITENANCY:
        return multitenancy({**given, "access_token": None}, context)[0]
    return svm_management(given, context)[0]
