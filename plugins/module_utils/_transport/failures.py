# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request that failed means: exceptions and answers that report errors, turned into ours."""

from __future__ import annotations

import errno
import http.client
import os
import re
import socket
import ssl
from dataclasses import dataclass
from typing import Optional

from .._clock import Deadline
from .._errors import ApiError, InputError, KsvlaError, NotConnected, NotTrusted, OutcomeUnknown, UnexpectedAnswer
from .._text import with_code
from .answer import Answer, find_error_code, find_message
from .channel import HANDSHAKE, FingerprintMismatch, HeadTooLong, ProxyFailed, TooSlow, fingerprint_of
from .retry import parse_retry_after
from .settings import ConnectionSettings

_CONNECT_HINT = "Check host and port, and that the Integration Server runs and is reachable from where the module runs."
_PIN = "or, when that is the fingerprint you know from the server itself, pin it with fingerprint."
_PINNED = "or leave ca_path (KSVLA_CA_PATH) out: with it, the pinned fingerprint alone is not enough."
_CHAIN = f"Give the authority that signed it as ca_path, {_PIN}"
_NAME = f"Give as host a name or an address that it was issued to, {_PIN}"
_CERTIFICATE: dict[int, tuple[str, str]] = {
    9: ("it is not valid yet", "Check the clocks of the server and of the machine that runs the module."),
    10: ("it has expired", f"Renew the server's certificate, {_PIN}"),
    18: ("it is signed by itself and by no authority that is trusted", _CHAIN),
    **dict.fromkeys((19, 20, 21), ("it was signed by an authority that is not trusted", _CHAIN)),
    62: ("it was issued to another name", _NAME),
    64: ("it was issued to another address", _NAME),
}
"""Reasons and advice by OpenSSL's codes of X509_verify_cert_error_string(3)."""
_REASONS: dict[type[Exception], str] = {
    TooSlow: "the answer comes too slowly",
    http.client.IncompleteRead: "the answer was cut short",
    http.client.RemoteDisconnected: "connection closed",
    ssl.SSLEOFError: "connection closed",
    http.client.HTTPException: "the answer is not HTTP",
    ssl.SSLError: "the TLS connection broke",
}
_TOO_OLD = frozenset({"UNSUPPORTED_PROTOCOL", "TLSV1_ALERT_PROTOCOL_VERSION", "VERSION_TOO_LOW"})
_HTTP = frozenset({b"http/", b"<!doc", b"<html"})
"""How the answer of a plain HTTP server to a TLS handshake begins."""
_WORDS: dict[int, str] = {
    errno.ECONNREFUSED: "connection refused",
    **dict.fromkeys((errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED), "connection reset"),
    errno.EHOSTUNREACH: "no route to the host",
    errno.ENETUNREACH: "network unreachable",
}
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][\w-]*)(?=[\s,]|$)(?!\s*=)")
"""A scheme in ``WWW-Authenticate``, as opposed to one of its parameters."""
_OTHER_SCHEMES = (
    "The collection logs in by user name and password (Basic) or token (Bearer) only: allow one of them for the API on the "
    "server, or check that host and port are those of an Integration Server."
)


@dataclass(frozen=True)
class Attempt:
    """One request on its way, and what it means when it breaks off.

    :param described: Method and path.
    """

    settings: ConnectionSettings
    described: str
    deadline: Deadline

    def not_connected(self, error: Exception) -> KsvlaError:
        """Return the error for a connection that could not be made; the request was not sent."""
        server = self.settings.address
        if isinstance(error, ProxyFailed):
            return self._proxy_failed(error)
        if isinstance(error, UnicodeError):
            return InputError(f"host is not a valid address: {self.settings.host!r}. Give a name or an IP address.")
        if isinstance(error, FingerprintMismatch):
            pinned = readable_fingerprint(self.settings.fingerprint or "")
            return self._failure(
                NotTrusted,
                f"The certificate of {server} is not the pinned one: {pinned} was expected.{_presented()}",
                "another certificate than the pinned one",
                "Find out why the certificate changed before you pin the new one.",
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            why, advice = _CERTIFICATE.get(error.verify_code, (error.verify_message, _CHAIN))
            if self.settings.fingerprint:
                advice = advice.replace(_PIN, _PINNED)
            message = f"The certificate of {server} is refused: {why}.{_presented()}"
            return self._failure(NotTrusted, message, "certificate refused", advice)
        reason = self._why_not_connected(error)
        return self._failure(NotConnected, f"No connection to {server}: {reason}.", reason, _CONNECT_HINT)

    def answer_lost(self, error: Exception) -> KsvlaError:
        """Return the error for a lost answer; the request may have reached the server."""
        server = self.settings.address
        if isinstance(error, (HeadTooLong, http.client.LineTooLong)):
            message = f"The header of the answer of {server} is too long."
            return self._failure(UnexpectedAnswer, message, "answer too long")
        reason, hint = self._reason(error), None
        if isinstance(error, socket.timeout):
            option = "wait_timeout" if self.deadline.expired() else "request_timeout"
            hint = f"Raise {option} if the server needs longer."
        return self._failure(OutcomeUnknown, f"{server} did not answer {self.described}: {reason}.", reason, hint)

    def _proxy_failed(self, error: ProxyFailed) -> KsvlaError:
        address, cause = error.address, error.__cause__
        hint = "Check https_proxy, all_proxy and no_proxy in the environment of the module."
        if error.status == 407:
            hint = "The proxy asks for a user name and a password: write them into the URL in https_proxy."
        if error.status is not None:
            reason = f"the proxy {address} refuses to connect to it (answered {error.status})"
            return self._failure(NotConnected, f"No connection to {self.settings.address}: {reason}.", reason, hint)
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = f"its certificate is refused: {cause.verify_message}"
        elif cause is None or isinstance(cause, UnicodeError):
            why = "its name is not valid"
        else:
            why = self._why_not_connected(cause)
        message = f"No connection to the proxy {address}: {why}."
        return self._failure(NotConnected, message, f"proxy {address}: {why}", hint)

    def _failure(self, kind: type[KsvlaError], message: str, reason: str, hint: Optional[str] = None) -> KsvlaError:
        error = kind(message, request=self.described, hint=hint)
        error.server, error.reason = self.settings.address, reason
        return error

    def _why_not_connected(self, error: BaseException) -> str:
        if not isinstance(error, ssl.SSLError):
            return self._reason(error)
        if HANDSHAKE.first[:5].lower() in _HTTP:
            return "it speaks HTTP, not HTTPS"
        if error.reason in _TOO_OLD:
            return "it speaks TLS older than 1.2"
        if error.reason in ("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"):
            return "it does not speak TLS"
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return "connection closed during the TLS handshake"
        return f"the TLS handshake failed ({(error.reason or 'no reason given').lower().replace('_', ' ')})"

    def _reason(self, error: BaseException) -> str:
        if isinstance(error, socket.timeout):
            within = f"within {self.settings.request_timeout:g} s"
            return f"no answer {'before the time to wait was over' if self.deadline.expired() else within}"
        if isinstance(error, socket.gaierror):
            return "the name server does not answer" if error.errno == socket.EAI_AGAIN else "name not known"
        for kind, reason in _REASONS.items():
            if isinstance(error, kind):
                return reason
        code = error.errno if isinstance(error, OSError) else None
        return _WORDS.get(code or 0) or (os.strerror(code) if code else "connection lost")


def readable_fingerprint(fingerprint: str) -> str:
    """Return a fingerprint as tools print it: pairs of digits in upper case, joined by colons."""
    return bytes.fromhex(fingerprint).hex(":").upper()


def _presented() -> str:
    """Return the fingerprint of the certificate that the failed connection brought, as a sentence."""
    if HANDSHAKE.certificate is None:
        return ""
    return f" It presents the SHA-256 fingerprint {readable_fingerprint(fingerprint_of(HANDSHAKE.certificate))}."


def refusal(described: str, answer: Answer) -> ApiError:
    """Return the error that an answer reports: the server's code and words, then the request."""
    code = find_error_code(answer.text)
    said = find_message(answer.text, code)
    meaning = {401: "Not authenticated", 403: "Access denied", 404: "Not found", 415: "Format not supported"}
    reason = with_code(code, said) or meaning.get(answer.status, "No reason given")
    offered = answer.headers.get("www-authenticate", "") if answer.status == 401 else ""
    schemes = list(dict.fromkeys(_SCHEME.findall(offered)))
    if schemes:
        reason = f"{reason.rstrip('.')}; the server accepts {', '.join(schemes)}"
    known = {"basic", "bearer"}.intersection(scheme.lower() for scheme in schemes)
    error = ApiError(
        f"{reason.rstrip('.')} ({described} answered {answer.status}).",
        error_code=code,
        status=answer.status,
        request=described,
        hint=_OTHER_SCHEMES if schemes and not known else None,
    )
    error.retry_after = parse_retry_after(answer.headers.get("retry-after"))
    return error
