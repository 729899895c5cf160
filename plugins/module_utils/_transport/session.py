# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session with one Integration Server: requests, their repetition, and their errors.

A read is repeated freely. A write is repeated only when it certainly did not reach the server (no connection, or the
server turned it away with 429); otherwise :class:`OutcomeUnknown` tells the caller to look first.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Callable, Optional, Union
from urllib.parse import quote, urljoin, urlsplit

from .._clock import NO_DEADLINE, Deadline
from .._errors import ApiError, InputError, KsvlaError, NotConnected, OutcomeUnknown, WaitTimeout
from . import tls
from .answer import Answer
from .failures import refusal, translated, unknown
from .retry import PASSING, parse_retry_after, pause

if TYPE_CHECKING:
    import requests

    from .authentication import Authentication
    from .settings import ConnectionSettings

Query = Sequence[tuple[str, Union[str, tuple[str, ...]]]]
"""Names and values; several values of one name are joined by a literal ``+``, as API 3.0 wants object types."""

Trace = Callable[[str], None]

_CHUNK = 64 * 1024
_MOST_REDIRECTS = 3
_MOST_CONNECTIONS = 64
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


def _silent(_line: str) -> None:
    """Trace nothing."""


class Session:
    """Sends requests to one server as one account.

    :param authentication: How requests prove who asks; may be exchanged, as after a new login.
    :param trace: Is given one line per answer, without secrets.
    """

    def __init__(self, settings: ConnectionSettings, authentication: Optional[Authentication] = None) -> None:
        import requests
        import requests.cookies
        import urllib3

        self.settings = settings
        self.authentication = authentication
        self.trace: Trace = _silent
        self.renew: Optional[Callable[[ApiError, Deadline], None]] = None
        """Logs in anew after the server refused the token; None where each request carries the account."""
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

    def read(
        self,
        path: str,
        query: Query = (),
        *,
        headers: Optional[Mapping[str, str]] = None,
        deadline: Deadline = NO_DEADLINE,
        retries: Optional[int] = None,
    ) -> Answer:
        """Send a GET and return its answer, repeating it while the reason of a failure may pass.

        :raises ApiError: when the server answers with an error.
        :raises NotConnected: when no connection could be made.
        :raises OutcomeUnknown: when connections break again and again.
        """
        return self._repeat("GET", path, query, None, headers, deadline, retries, safe=True)

    def write(
        self,
        method: str,
        path: str,
        query: Query = (),
        *,
        body: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None,
        deadline: Deadline = NO_DEADLINE,
        safe: bool = False,
    ) -> Answer:
        """Send a request that changes something, once, and return its answer.

        :param safe: Whether doing it twice is the same as doing it once; it is then repeated like a read.
        :raises OutcomeUnknown: when it may have reached the server and its answer was lost.
        """
        return self._repeat(method, path, query, body, headers, deadline, None, safe=safe)

    @contextmanager
    def stream(
        self, path: str, *, headers: Mapping[str, str], deadline: Deadline = NO_DEADLINE
    ) -> Iterator[tuple[int, Mapping[str, str], Iterator[bytes]]]:
        """Send a GET once and give its status, headers and the pieces of its body as they come.

        :raises OutcomeUnknown: when the connection breaks, also in the middle of the body.
        """
        described = f"GET {path}"
        self._wait_for_hold(deadline)
        with translated(self.settings, described, deadline):
            response = self._send("GET", self._url(path, ()), None, headers, deadline, described)
        try:
            if response.status_code in _REDIRECTS:
                raise self._refused_redirect(described, response)
            if response.status_code >= 400:
                failure = refusal(described, self._read_body(response, deadline))
                failure.retry_after = parse_retry_after(response.headers.get("retry-after"))
                if response.status_code in (429, 503) and failure.retry_after is not None:
                    self._hold_all(failure.retry_after)
                raise failure
            with translated(self.settings, described, deadline):
                yield response.status_code, _lower(response.headers), response.iter_content(_CHUNK)
        finally:
            response.close()

    def _repeat(
        self,
        method: str,
        path: str,
        query: Query,
        body: Optional[bytes],
        headers: Optional[Mapping[str, str]],
        deadline: Deadline,
        retries: Optional[int],
        *,
        safe: bool,
    ) -> Answer:
        described = f"{method} {path}"
        url = self._url(path, query)
        most = self.settings.retries if retries is None else retries
        attempt = 0
        renewed = False
        while True:
            self._wait_for_hold(deadline)
            failure: KsvlaError
            retry_after: Optional[float] = None
            try:
                answer = self._exchange(method, url, body, headers, deadline, described)
            except NotConnected as error:
                failure, repeatable = error, True
            except OutcomeUnknown as error:
                failure, repeatable = error, safe
            else:
                if answer.status < 400:
                    return answer
                if answer.status == 401 and self.renew is not None and not renewed:
                    renewed = True
                    self.renew(refusal(described, answer), deadline)
                    continue
                failure = refusal(described, answer)
                retry_after = parse_retry_after(answer.headers.get("retry-after"))
                if answer.status not in PASSING or (answer.status == 500 and failure.error_code):
                    raise failure
                if answer.status in (429, 503) and retry_after is not None:
                    self._hold_all(retry_after)
                repeatable = safe or answer.status == 429
                if not repeatable and failure.error_code is None:
                    failure = unknown(failure, retry_after)
            seconds = pause(attempt, retry_after)
            remaining = deadline.remaining()
            if not repeatable or attempt >= most or (remaining is not None and seconds >= remaining):
                raise failure
            attempt += 1
            self.trace(f"{described}: {failure.message} Trying again in {seconds:.1f} s ({attempt} of {most}).")
            time.sleep(seconds)

    def _exchange(
        self,
        method: str,
        url: str,
        body: Optional[bytes],
        headers: Optional[Mapping[str, str]],
        deadline: Deadline,
        described: str,
    ) -> Answer:
        """Send a request once, follow redirects of a read within the server, and read the whole answer."""
        started = time.monotonic()
        for _redirect in range(_MOST_REDIRECTS + 1):
            with translated(self.settings, described, deadline):
                response = self._send(method, url, body, headers, deadline, described)
                try:
                    target = self._redirect_target(method, url, response)
                    if response.status_code in _REDIRECTS and target is None:
                        raise self._refused_redirect(described, response)
                    answer = self._read_body(response, deadline)
                finally:
                    response.close()
            if target is None:
                self.trace(f"{described} -> {answer.status} ({(time.monotonic() - started) * 1000:.0f} ms)")
                return answer
            url = target
        raise ApiError(f"{described} was redirected again and again.", request=described)

    def _send(
        self,
        method: str,
        url: str,
        body: Optional[bytes],
        headers: Optional[Mapping[str, str]],
        deadline: Deadline,
        described: str,
    ) -> requests.Response:
        timeout = deadline.shortened(self.settings.request_timeout)
        if timeout <= 0:
            raise WaitTimeout(
                f"{described} was not sent: the time to wait was over.",
                request=described,
                hint="Raise wait_timeout, or run this again.",
            )
        return self._http.request(
            method,
            url,
            data=body,
            headers=dict(headers or {}),
            auth=self.authentication or _anonymous,
            timeout=(timeout, timeout),
            allow_redirects=False,
            stream=True,
        )

    @staticmethod
    def _read_body(response: requests.Response, deadline: Deadline) -> Answer:
        pieces = []
        for piece in response.iter_content(_CHUNK):
            pieces.append(piece)
            if deadline.expired():
                raise OutcomeUnknown("The answer did not arrive within the time to wait.")
        return Answer(response.status_code, _lower(response.headers), b"".join(pieces))

    def _redirect_target(self, method: str, url: str, response: requests.Response) -> Optional[str]:
        """Return where a read may follow: only within the server, so that credentials never leave it."""
        location = response.headers.get("location")
        if response.status_code not in _REDIRECTS or method != "GET" or not location:
            return None
        target = urljoin(url, location)
        here, there = urlsplit(url), urlsplit(target)
        if (here.scheme, here.hostname, here.port) != (there.scheme, there.hostname, there.port):
            return None
        return target

    def _refused_redirect(self, described: str, response: requests.Response) -> ApiError:
        there = urlsplit(urljoin(self.settings.origin, response.headers.get("location", "")))
        return ApiError(
            f"{described} was redirected to {there.scheme}://{there.netloc}, which is not followed.",
            status=response.status_code,
            request=described,
            hint="Credentials are sent to the Integration Server only: check host and port.",
        )

    def _url(self, path: str, query: Query) -> str:
        encoded = "&".join(f"{quote(name, safe='')}={_encode_value(value)}" for name, value in query)
        return f"{self.settings.origin}{path}{'?' + encoded if encoded else ''}"

    def _hold_all(self, seconds: float) -> None:
        """Let every request of this session wait: the server asked for it."""
        with self._hold:
            self._held_until = max(self._held_until, time.monotonic() + seconds)

    def _wait_for_hold(self, deadline: Deadline) -> None:
        seconds = self._held_until - time.monotonic()
        if seconds > 0:
            time.sleep(deadline.shortened(seconds))


def _encode_value(value: Union[str, tuple[str, ...]]) -> str:
    """Return a query value percent-encoded; the colons of dates stay, as the pages write them."""
    values = (value,) if isinstance(value, str) else value
    return "+".join(quote(single, safe=":") for single in values)


def _anonymous(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Send no credentials; given instead of None so that no ``.netrc`` steps in."""
    return request


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def encode_segment(value: str) -> str:
    """Return an id as one segment of a path, percent-encoded.

    :raises InputError: when it is one of the names that paths use for themselves.
    """
    if value.strip(".") == "":
        raise InputError(f"{value!r} is no id.")
    return quote(value, safe="")
