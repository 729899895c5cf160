# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and SSH keys by address, and which of them are trusted.

Source: 'Adding a virtual infrastructure certificate to the Integration Server'.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from simulator.svm_management.addresses import join, lookup, split
from simulator.svm_management.platforms import HTTPS, SSH, SSH_PORT
from simulator.svm_management.settings import SvmSettings

_HTTPS_PORTS = frozenset({443, 5000, 7443, 8006, 8774, 8776, 9292, 9440, 9696})
_NONE = "none"


class Certificates:
    """What each address presents: the same every time. A part of the state: the list of trusted ones."""

    def __init__(self, settings: SvmSettings) -> None:
        self._settings = settings
        self._trusted: dict[str, set[str]] = {}

    def kinds(self, host: str, port: int) -> tuple[str, ...]:
        """What an address answers to: https, ssh, both where nothing tells, or neither."""
        configured = lookup(self._settings.address_kinds, host, port)
        if configured == _NONE:
            return ()
        if configured is not None:
            return (configured,)
        if port == SSH_PORT:
            return (SSH,)
        return (HTTPS,) if port in _HTTPS_PORTS else (HTTPS, SSH)

    def thumbprint(self, host: str, port: int) -> str:
        """The thumbprint of what stands at an address."""
        text = hashlib.sha1(self._data(host, port), usedforsecurity=False).hexdigest()
        style = self._settings.thumbprint_style
        if style == "colons":
            return ":".join(text[at : at + 2] for at in range(0, len(text), 2)).upper()
        return text.upper() if style == "upper" else text

    def trust(self, host: str, port: int, thumbprint: str) -> None:
        """Adds to the list of trusted certificates."""
        self._trusted.setdefault(join(host, port), set()).add(_plain(thumbprint))

    def trusted(self, host: str, port: int) -> bool:
        """Whether what stands at the address is trusted by now."""
        return _plain(self.thumbprint(host, port)) in self._trusted.get(join(host, port), ())

    def describe(self, address: str, host: str, port: int) -> dict[str, Any]:
        """The answer of getCertificate and getSshKey."""
        settings = self._settings
        accepted = self.trusted(host, port)
        if settings.certificate_accepted != "trusted":
            accepted = settings.certificate_accepted == "always"
        return {
            "address": address,
            "thumbprint": self.thumbprint(host, port),
            "data": base64.b64encode(self._data(host, port)).decode(),
            "viisValidationResult": {
                "isAccepted": accepted,
                "validationWarnings": _texts(lookup(settings.certificate_warnings, host, port)),
                "validationErrors": _texts(lookup(settings.certificate_errors, host, port)),
            },
        }

    def _data(self, host: str, port: int) -> bytes:
        version = lookup(self._settings.certificate_versions, host, port) or ""
        seed = f"{join(host, port)} {version}".encode()
        return b"".join(hashlib.sha256(seed + bytes([part])).digest() for part in range(12))

    def dump(self) -> Any:
        return [{"address": address, "thumbprints": sorted(found)} for address, found in self._trusted.items()]

    def load(self, data: Any) -> None:
        for record in data:
            host, port = split(record["address"])
            for thumbprint in record["thumbprints"]:
                self.trust(host, port, thumbprint)

    def reset(self) -> None:
        self._trusted.clear()


def _plain(thumbprint: str) -> str:
    return thumbprint.replace(":", "").replace(" ", "").upper()


def _texts(setting: str | None) -> list[str]:
    return [text.strip() for text in setting.split("|")] if setting else []
