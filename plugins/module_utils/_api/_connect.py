# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a module's parameters to the API it speaks."""

from __future__ import annotations

from .._context import Context, Parameters
from .._transport._settings import ConnectionSettings
from ._multitenancy import MultitenancyApi, open_session


def multitenancy(parameters: Parameters, context: Context) -> tuple[MultitenancyApi, ConnectionSettings]:
    """Return API 2.0 of the server that the parameters name, over a connection kept for the process.

    :raises InputError: when a connection option is missing or cannot be right.
    """
    settings = ConnectionSettings.from_parameters(parameters)
    session = context.sessions.session("multitenancy", settings, lambda: open_session(settings))
    session.trace = context.trace
    return MultitenancyApi(session), settings
