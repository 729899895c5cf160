# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request that failed means: exceptions of ``requests`` and answers that report errors, turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Optional

from .._clock import Deadline
from .._errors import ApiError, InputError, KsvlaError, NotConnected, NotTrusted, OutcomeUnknown
from . import tls
from .answer import Answer, find_error_code, find_message

if TYPE_CHECKING:
    from .settings import ConnectionSettings

_CONNECT_HINT = "Check host and port, and that the Integration Server runs and is reachable from where the module runs."


@contextmanager
def translated(settings: ConnectionSettings, described: str, deadline: Deadline) -> Iterator[None]:
    """Turn the exceptions of ``requests`` into ours, telling what never left from what may have arrived."""
    import requests
    from urllib3 import exceptions as urllib3

    try:
        yield
    except urllib3.LocationParseError:
        raise InputError(f"host is no address: {settings.host!r}. Give a name or an IP address.") from None
    except requests.exceptions.SSLError as error:
        raise _untrusted(settings, described, error) from None
    except (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError) as error:
        raise NotConnected(_cannot_connect(settings, error, deadline), request=described, hint=_CONNECT_HINT) from None
    except (requests.exceptions.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(reason, urllib3.NewConnectionError):
            raise NotConnected(
                _cannot_connect(settings, error, deadline), request=described, hint=_CONNECT_HINT
            ) from None
        raise OutcomeUnknown(
            f"The connection to {settings.origin} broke before the answer was complete.", request=described
        ) from None
    except (requests.exceptions.Timeout, requests.exceptions.ContentDecodingError):
        over = deadline.expired()
        raise OutcomeUnknown(
            f"{settings.origin} did not answer {_how_long(settings, deadline)}.",
            request=described,
            hint=f"Raise {'wait_timeout' if over else 'request_timeout'} if the server needs longer.",
        ) from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader, OSError) as error:
        if isinstance(error, requests.exceptions.RequestException) or error.errno is None:
            raise NotConnected(f"{settings.origin} cannot be used: {error}", request=described) from None
        raise


def _how_long(settings: ConnectionSettings, deadline: Deadline) -> str:
    """Return how long an answer was waited for."""
    return "before the time to wait was over" if deadline.expired() else f"within {settings.request_timeout:g} s"


def _cannot_connect(settings: ConnectionSettings, error: Exception, deadline: Deadline) -> str:
    text = str(error)
    for known, meaning in (
        ("Name or service not known", "its name is not known"),
        ("Failed to resolve", "its name is not known"),
        ("refused", "the connection was refused"),
        ("timed out", f"no answer {_how_long(settings, deadline)}"),
        ("No route", "there is no route to it"),
        ("unreachable", "its network cannot be reached"),
        ("roxy", "the proxy does not let it through"),
    ):
        if known in text:
            return f"No connection to {settings.origin}: {meaning}."
    return f"No connection to {settings.origin}."


def _untrusted(settings: ConnectionSettings, described: str, error: Exception) -> KsvlaError:
    text = str(error)
    if "ingerprint" not in text and "CERTIFICATE_VERIFY_FAILED" not in text and "doesn't match" not in text:
        # No certificate was judged. It cannot be told whether the handshake broke off or the answer to a request.
        return OutcomeUnknown(
            f"The TLS connection to {settings.origin} broke: {_first_line(text)}",
            request=described,
            hint=_CONNECT_HINT,
        )
    presented = tls.presented_fingerprint(settings.host, settings.port, settings.request_timeout)
    shown = f" It presents the SHA-256 fingerprint {tls.readable_fingerprint(presented)}." if presented else ""
    if "ingerprint" in text and settings.fingerprint:
        wanted = tls.readable_fingerprint(settings.fingerprint)
        message = f"The certificate of {settings.origin} is not the pinned one: {wanted} was expected.{shown}"
        hint = "Find out why the certificate changed before you pin the new one."
    else:
        message = f"The certificate of {settings.origin} is not trusted.{shown}"
        hint = (
            "Give the authority that signed it as ca_path, or, when that is the fingerprint you know from the "
            "server itself, pin it with fingerprint."
        )
    return NotTrusted(message, request=described, hint=hint)


def refusal(described: str, answer: Answer) -> ApiError:
    """Return the error that an answer reports, with the server's code and words."""
    code = find_error_code(answer.text)
    said = find_message(answer.text, code)
    meaning = {401: "not authenticated", 403: "access denied", 404: "not found", 415: "format not supported"}
    reason = ": ".join(part for part in (code, said) if part) or meaning.get(answer.status, "no reason given")
    return ApiError(
        f"{described} was answered with {answer.status}: {reason.rstrip('.')}.",
        error_code=code,
        status=answer.status,
        request=described,
    )


def unknown(error: KsvlaError, retry_after: Optional[float]) -> OutcomeUnknown:
    """Say that the outcome of a write is unknown, as a gateway may have passed it on before it failed."""
    unknown = OutcomeUnknown(error.message, status=error.status, request=error.request, hint=error.hint)
    unknown.retry_after = retry_after
    return unknown


def _first_line(text: str) -> str:
    return text.splitlines()[0][:200] if text else "no reason given"
