# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS: whom to trust, the pinned fingerprint, and what the server presented in a handshake that failed."""

from __future__ import annotations

import hashlib
import os
import re
import ssl
import threading
from typing import TYPE_CHECKING, Any, Optional

from .._errors import InputError
from .budget import TlsSocket

if TYPE_CHECKING:
    from .settings import ConnectionSettings

_PEM = re.compile(rb"-----BEGIN (X509 )?CERTIFICATE-----[\s0-9A-Za-z+/=]+-----END (X509 )?CERTIFICATE-----", re.ASCII)
_HASHED_NAME = re.compile(r"[0-9a-f]{8}\.\d+")
_VALIDITY = re.compile(rb"\x30[\x1e-\x22](?:\x17\x0d\d{12}|\x18\x0f\d{14})Z(\x17\x0d\d{12}|\x18\x0f\d{14})Z")
"""Two times behind each other in DER: from when a certificate is valid, and until when."""
_CERTIFICATE_MESSAGE = 11
_RECORD_HEADER = 256


class Handshake(threading.local):
    """What the server sent in the latest handshake of this thread.

    :param certificate: Its certificate in DER, or None when none came.
    :param first: The first bytes that it sent.
    """

    certificate: Optional[bytes] = None
    first: bytes = b""

    def forget(self) -> None:
        self.certificate, self.first = None, b""


HANDSHAKE = Handshake()


_SILENT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Takes the place of the context of a connection when the handshake is over. It is asked for nothing then."""


def context(settings: ConnectionSettings) -> ssl.SSLContext:
    """Return the context for connections with the server.

    A pinned fingerprint takes the place of an authority, unless ``ca_path`` asks for both, and of the host name.

    :raises InputError: when ``ca_path`` holds no certificate.
    """
    by_authority = settings.validate_certs and not (settings.fingerprint and not settings.ca_path)
    made = plain_context(settings, verify=by_authority)
    if settings.fingerprint:
        made.check_hostname = False
    # Private, but there since Python 3.8: the one way to see a certificate that OpenSSL refuses on this very connection.
    made._msg_callback = _note  # type: ignore[attr-defined]
    return made


def end_notes(connected: Any) -> None:
    """Note nothing more of a connection: what is noted is the handshake, and each record would cost a call.

    On a download the calls took a third of the time that reading took, and 8 % of that of a small request.
    """
    if isinstance(connected, ssl.SSLSocket):
        connected.context = _SILENT


def plain_context(settings: ConnectionSettings, *, verify: bool) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.hostname_checks_common_name = False
    made.sslsocket_class = TlsSocket
    if not verify:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    elif settings.ca_path:
        _load(made, settings.ca_path, "ca_path")
    else:
        _load_default(made)
    return made


def _load_default(made: ssl.SSLContext) -> None:
    """Trust the authorities that the variables name, as ``requests`` does, or else those that it trusts."""
    variable = next((name for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE") if os.environ.get(name)), None)
    if variable:
        _load(made, os.environ[variable], variable)
        return
    try:
        # What requests asks, too; to import all of that takes longer than a whole task.
        from certifi import where

        made.load_verify_locations(where())
    except ImportError:
        from requests.utils import DEFAULT_CA_BUNDLE_PATH

        made.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)


def _load(made: ssl.SSLContext, path: str, option: str) -> None:
    """Trust the authorities in a file, or in a folder with hashed names; raise InputError when there is none."""
    hint = "Convert a certificate in DER with: openssl x509 -inform der -in FILE -out ca.pem."
    try:
        if not os.path.isdir(path):
            with open(path, "rb") as file:
                blocks = [match.group() for match in _PEM.finditer(file.read())]
            made.load_verify_locations(cadata=b"\n".join(blocks).decode("ascii"))
        elif any(_HASHED_NAME.fullmatch(entry) for entry in os.listdir(path)):
            made.load_verify_locations(capath=path)
        else:
            hint = "Give a file, or make the hashed names with: openssl rehash FOLDER."
            raise ValueError
    except (ssl.SSLError, ValueError):
        raise InputError(f"{option} holds no certificate in PEM: {path}.", hint=hint) from None
    except OSError as error:
        raise InputError(f"{option} cannot be read: {path}: {os.strerror(error.errno or 0)}.") from None


def fingerprint_of(certificate: bytes) -> str:
    return hashlib.sha256(certificate).hexdigest()


def readable_fingerprint(fingerprint: str) -> str:
    """Return a fingerprint as tools print it: pairs of digits in upper case, joined by colons."""
    return bytes.fromhex(fingerprint).hex(":").upper()


def valid_until(certificate: bytes) -> Optional[str]:
    """Return the day until which a certificate in DER is valid, as YYYY-MM-DD."""
    match = _VALIDITY.search(certificate)
    if not match:
        return None
    digits = match.group(1)[2:].decode("ascii")
    if len(digits) == 12:  # Two digits of the year, up to 2049.
        digits = ("19" if digits >= "50" else "20") + digits
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}"


def _note(*message: Any) -> None:
    """Keep what the server sends in a handshake, see RFC 8446 and RFC 5246, ``Certificate``."""
    _connection, direction, version, content_type, message_type, data = message
    if direction != "read":
        return
    if content_type == _RECORD_HEADER:
        HANDSHAKE.first = HANDSHAKE.first or data
    elif message_type == _CERTIFICATE_MESSAGE and len(data) > 11:
        # Type and length of the message, in TLS 1.3 a context, the length of the list, the length of the certificate.
        start = 10 if version != ssl.TLSVersion.TLSv1_3 else 11 + data[4]
        length = int.from_bytes(data[start - 3 : start], "big")
        HANDSHAKE.certificate = data[start : start + length]
