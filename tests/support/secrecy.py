# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In what forms a secret could be shown."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterable, Mapping
from urllib.parse import quote, quote_plus


def forms_of(secrets: Mapping[str, str], users: Iterable[str] = ()) -> dict[str, str]:
    """Return every form of the secrets, with what it is: plain, and encoded as HTTP, JSON, XML and addresses do.

    :param secrets: By what they are called.
    :param users: Whose HTTP Basic could hold them.
    """
    forms: dict[str, str] = {}
    for about, secret in secrets.items():
        forms |= {
            html.escape(secret, quote=False): f"{about} in XML",
            html.escape(secret): f"{about} in HTML",
            json.dumps(secret)[1:-1]: f"{about} in JSON",
            json.dumps(secret, ensure_ascii=False)[1:-1]: f"{about} in JSON",
            quote(secret, safe=""): f"{about} percent-encoded",
            quote_plus(secret): f"{about} as in a form",
            base64_of(secret): f"{about} in Base64",
            **{base64_of(f"{user}:{secret}"): f"{about} as in HTTP Basic" for user in users},
            secret: about,
        }
    return forms


def base64_of(text: str) -> str:
    """Return a text in Base64."""
    return base64.b64encode(text.encode()).decode()
