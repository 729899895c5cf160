# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the Integration Server, for demonstrations, rehearsals and tests.

It is written from the vendor's pages and knows nothing of the collection that talks to it. It serves API 2.0 (tenants,
XML) and API 3.0 (SVM management, JSON) over TLS, and a control interface on a loopback port of its own.

Start it with ``python -m simulator`` (the folder ``tests`` on PYTHONPATH), or in a test with
``simulator.testing.running_simulator``.
"""

from __future__ import annotations
