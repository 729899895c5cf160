# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's parameters to the API it speaks."""

from __future__ import annotations

from typing import Union

from .._module.arguments import MULTITENANCY
from .._module.context import Context, Parameters, Result
from .._transport.connection import Connection
from .._transport.session import Session
from .._transport.settings import ConnectionSettings
from .multitenancy import calls
from .multitenancy.calls import MultitenancyApi
from .svm_management import login
from .svm_management.calls import SvmManagementApi


def multitenancy(parameters: Parameters, context: Context) -> tuple[MultitenancyApi, ConnectionSettings]:
    """Return API 2.0 of the server that the parameters name, over a connection kept for the process.

    :raises InputError: when a connection option is missing or invalid.
    """
    settings = ConnectionSettings.from_parameters(parameters)
    kept = context.connections.connection("multitenancy", settings, lambda: calls.connection(settings))
    return MultitenancyApi(_session(kept, context)), settings


def svm_management(parameters: Parameters, context: Context) -> tuple[SvmManagementApi, ConnectionSettings]:
    """Return API 3.0 of the server that the parameters name, over a connection and a token kept for the process.

    :raises InputError: when a connection option is missing or invalid.
    :raises ApiError: when the server refuses the account.
    """
    settings = ConnectionSettings.from_parameters(parameters)
    kept = context.connections.connection("svm_management", settings, lambda: login.connection(settings, context.trace))
    return SvmManagementApi(_session(kept, context)), settings


def log_in(parameters: Parameters, context: Context) -> Result:
    """Log in to API 3.0 with the password and return the token, which no later task shares.

    :raises InputError: when a connection option is missing or invalid.
    :raises ApiError: when the server refuses the account.
    """
    connection = Connection(ConnectionSettings.from_parameters({**parameters, "access_token": None}))
    connection.trace = context.trace
    try:
        return login.log_in(connection)
    finally:
        connection.close()


def _session(connection: Connection, context: Context) -> Session:
    connection.trace = context.trace
    connection.progress = context.progress
    connection.check_mode = context.check_mode
    connection.clock = context.clock
    return Session(connection)


def tasks(parameters: Parameters, context: Context) -> Union[MultitenancyApi, SvmManagementApi]:
    """Return the API that the option ``api`` names, as its usual account where none is given."""
    usual = "multitenancy" if parameters["api"] == MULTITENANCY else "admin"
    given = {**parameters, "username": usual} if parameters.get("username") is None else parameters
    if parameters["api"] == MULTITENANCY:
        return multitenancy({**given, "access_token": None}, context)[0]
    return svm_management(given, context)[0]
