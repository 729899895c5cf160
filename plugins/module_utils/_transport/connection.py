# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection with one Integration Server as one account: sends a request once and reads its answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Callable, Optional
from urllib.parse import urljoin, urlsplit

from .._clock import SYSTEM_CLOCK, Deadline
from .._errors import ApiError, OutcomeUnknown, WaitTimeout
from . import tls
from .answer import Answer
from .failures import refusal, translated
from .request import Request
from .retry import parse_retry_after

if TYPE_CHECKING:
    import requests

    from .authentication import Authentication
    from .settings import ConnectionSettings

Trace = Callable[[str], None]

_CHUNK = 64 * 1024
_MOST_REDIRECTS = 3
_MOST_CONNECTIONS = 64
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def _silent(_line: str) -> None:
    """Trace nothing."""


class Connection:
    """Sends requests to one server as one account; shared by all threads of the process.

    :param authentication: How requests prove who asks; may be exchanged, as after a new login.
    """

    def __init__(self, settings: ConnectionSettings, authentication: Optional[Authentication] = None) -> None:
        import requests
        import requests.cookies
        import urllib3

        self.settings = settings
        self.authentication = authentication
        self.trace: Trace = _silent
        """Is given one line per answer, without secrets."""
        self.check_mode = False
        """Whether writes are refused; set for each task, as connections are kept over tasks."""
        self.clock = SYSTEM_CLOCK
        self.renew: Optional[Callable[[ApiError, Deadline], None]] = None
        """Logs in again after the server refused the token; None where each request carries the account."""
        self._http = requests.Session()
        # Proxies are read once here, since requests would read the whole environment at every call.
        self._http.trust_env = False
        self._http.proxies = dict(requests.utils.get_environ_proxies(settings.origin))
        self._http.verify = tls.verification(settings)
        if not settings.validate_certs:
            # The user said so; a warning about every connection would only stand between the results.
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        self._http.cookies = requests.cookies.RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        self._http.headers["User-Agent"] = "ksvla.light_agent"
        self._http.mount("https://", tls.adapter(settings, _MOST_CONNECTIONS))
        self._hold = threading.Lock()
        self._held_until = 0.0

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def exchange(self, request: Request, deadline: Deadline) -> Answer:
        """Send a request once, follow redirects of a read within the server, and read the whole answer.

        :raises NotConnected: when no connection could be made.
        :raises OutcomeUnknown: when the connection broke or the answer did not arrive in time.
        """
        started = self.clock.monotonic()
        url = request.url(self.settings.origin)
        for _redirect in range(_MOST_REDIRECTS + 1):
            with translated(self.settings, request.described, deadline):
                response = self._send(request, url, deadline)
                try:
                    target = self._redirect_target(request, url, response)
                    answer = _read_body(response, deadline)
                finally:
                    response.close()
            if target is None:
                took = (self.clock.monotonic() - started) * 1000
                self.trace(f"{request.described} -> {answer.status} ({took:.0f} ms)")
                return answer
            url = target
        raise ApiError(f"{request.described} was redirected again and again.", request=request.described)

    @contextmanager
    def stream(self, request: Request, deadline: Deadline) -> Iterator[tuple[int, Mapping[str, str], Iterator[bytes]]]:
        """Send a request once and give status, headers and the pieces of the body as they come.

        :raises OutcomeUnknown: when the connection breaks, also in the middle of the body.
        """
        self.wait_for_hold(deadline)
        with translated(self.settings, request.described, deadline):
            response = self._send(request, request.url(self.settings.origin), deadline)
        try:
            if response.status_code in _REDIRECTS:
                raise self._refused_redirect(request, response)
            if response.status_code >= 400:
                failure = refusal(request.described, _read_body(response, deadline))
                failure.retry_after = parse_retry_after(response.headers.get("retry-after"))
                if response.status_code in (429, 503) and failure.retry_after is not None:
                    self.hold_all(failure.retry_after)
                raise failure
            with translated(self.settings, request.described, deadline):
                yield response.status_code, _lower(response.headers), response.iter_content(_CHUNK)
        finally:
            response.close()

    def hold_all(self, seconds: float) -> None:
        """Let every request of this connection wait: the server asked for it."""
        with self._hold:
            self._held_until = max(self._held_until, self.clock.monotonic() + seconds)

    def wait_for_hold(self, deadline: Deadline) -> None:
        """Wait as long as the server asked for, but not past the deadline."""
        seconds = self._held_until - self.clock.monotonic()
        if seconds > 0:
            self.clock.sleep(deadline.shortened(seconds))

    def _send(self, request: Request, url: str, deadline: Deadline) -> requests.Response:
        timeout = deadline.shortened(self.settings.request_timeout)
        if timeout <= 0:
            raise WaitTimeout(
                f"{request.described} was not sent: the time to wait was over.",
                request=request.described,
                hint="Raise wait_timeout, or run this again.",
            )
        return self._http.request(
            request.method,
            url,
            data=request.body,
            headers=dict(request.headers),
            auth=self.authentication or _anonymous,
            timeout=(timeout, timeout),
            allow_redirects=False,
            stream=True,
        )

    def _redirect_target(self, request: Request, url: str, response: requests.Response) -> Optional[str]:
        """Return where a read is redirected to, within the server, so that credentials never leave it.

        :raises ApiError: when an answer redirects anything else, or elsewhere.
        """
        if response.status_code not in _REDIRECTS:
            return None
        location = response.headers.get("location")
        target = urljoin(url, location or "")
        here, there = urlsplit(url), urlsplit(target)
        same_origin = (here.scheme, here.hostname, here.port) == (there.scheme, there.hostname, there.port)
        if request.method != "GET" or not location or not same_origin:
            raise self._refused_redirect(request, response)
        return target

    def _refused_redirect(self, request: Request, response: requests.Response) -> ApiError:
        there = urlsplit(urljoin(self.settings.origin, response.headers.get("location", "")))
        return ApiError(
            f"{request.described} was redirected to {there.scheme}://{there.netloc}, which is not followed.",
            status=response.status_code,
            request=request.described,
            hint="Credentials are sent to the Integration Server only: check host and port.",
        )


def _read_body(response: requests.Response, deadline: Deadline) -> Answer:
    pieces = []
    for piece in response.iter_content(_CHUNK):
        pieces.append(piece)
        if deadline.expired():
            raise OutcomeUnknown("The answer did not arrive within the time to wait.")
    return Answer(response.status_code, _lower(response.headers), b"".join(pieces))


def _anonymous(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no credentials; given instead of None so that no ``.netrc`` steps in."""
    return request


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
