# Copyright: (c) 2026, ksvla.light_agent contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates and TLS: what is refused, for which reason, with which advice."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.raw import raw_server
from support.web import FakeClock, Reply, WebServer, web_server

from ansible_collections.ksvla.light_agent.plugins.module_utils._errors import (
    InputError,
    KsvlaError,
    NotConnected,
    NotTrusted,
    OutcomeUnknown,
)
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.connection import Request
from ansible_collections.ksvla.light_agent.plugins.module_utils._transport.session import Session
from simulator.tls import Tls, prepare_tls

Connect = Callable[..., Session]


def _self_signed(folder: Path, name: str = "127.0.0.1", days: int = 10) -> Tls:
    """A certificate signed by itself, which is trusted by giving it as the authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    alternative: x509.GeneralName = x509.DNSName(name)
    with contextlib.suppress(ValueError):
        import ipaddress

        alternative = x509.IPAddress(ipaddress.ip_address(name))
    end = datetime.now(UTC) + timedelta(days=days)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=30))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    certificate_path, key_path = folder / "server.pem", folder / "key.pem"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    digest = hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()
    return Tls(certificate_path, certificate_path, key_path, digest)


def _in_pairs(fingerprint: str) -> str:
    """A fingerprint as tools print it."""
    return ":".join(fingerprint[i : i + 2] for i in range(0, 64, 2)).upper()


# ---- a certificate that is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "days", "why", "advice"),
    [
        ("127.0.0.1", -3, "it has expired", "Renew the server's certificate"),
        ("127.0.0.1", 60, "it is not valid yet", "Check the clocks"),
        ("ksv.example.com", 10, "it was issued to another address", "Give as host a name or an address"),
    ],
)
def test_a_certificate_is_refused_for_the_reason_of_openssl(
    name: str, days: int, why: str, advice: str, connect: Connect, tmp_path: Path
) -> None:
    tls = _self_signed(tmp_path / "tls", name, days)
    with web_server(tls) as server:
        with pytest.raises(NotTrusted) as caught:
            connect(port=server.port, ca_path=str(tls.ca_path)).read("/a")
        assert server.received == []
    assert caught.value.message.startswith(f"The certificate of 127.0.0.1:{server.port} is refused: {why}.")
    assert _in_pairs(tls.fingerprint) in caught.value.message
    assert advice in (caught.value.hint or "")


def test_a_certificate_for_another_name(connect: Connect, tls: Tls, tmp_path: Path) -> None:
    other = _self_signed(tmp_path / "tls", "ksv.example.com")
    with web_server(other) as server, pytest.raises(NotTrusted, match="it was issued to another name"):
        connect(host="localhost", port=server.port, ca_path=str(other.ca_path)).read("/a")


def test_a_certificate_of_an_unknown_authority(server: WebServer, connect: Connect, tls: Tls, tmp_path: Path) -> None:
    other = prepare_tls(tmp_path, "127.0.0.1")
    for ca_path in (None, str(other.ca_path)):
        with pytest.raises(NotTrusted, match="it was signed by an authority that is not trusted") as caught:
            connect(ca_path=ca_path).read("/a")
        assert _in_pairs(tls.fingerprint) in caught.value.message
        assert "Give the authority that signed it as ca_path" in (caught.value.hint or "")
    assert server.received == []


def test_a_certificate_signed_by_itself(connect: Connect, tmp_path: Path) -> None:
    tls = _self_signed(tmp_path / "tls")
    with web_server(tls) as server, pytest.raises(NotTrusted, match="it is signed by itself"):
        connect(port=server.port, ca_path=None).read("/a")


def test_a_pinned_certificate_that_the_authority_did_not_sign(connect: Connect, tmp_path: Path) -> None:
    tls, other = _self_signed(tmp_path / "tls"), _self_signed(tmp_path / "other")
    with web_server(tls) as server, pytest.raises(NotTrusted, match="it is signed by itself") as caught:
        connect(port=server.port, ca_path=str(other.ca_path), fingerprint=tls.fingerprint).read("/a")
    assert "leave ca_path (KSVLA_CA_PATH) out" in (caught.value.hint or "")
    assert "pin it" not in (caught.value.hint or "")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_fingerprint_offered_is_of_the_connection_that_failed(
    version: ssl.TLSVersion, connect: Connect, tmp_path: Path
) -> None:
    """The second connection gets another certificate, as past a proxy."""
    seen = _self_signed(tmp_path / "seen").context()
    seen.minimum_version = seen.maximum_version = version
    later = _self_signed(tmp_path / "later").context()
    contexts = [seen, later]
    accepted: list[int] = []

    def serve(connection: socket.socket) -> None:
        accepted.append(1)
        contexts.pop(0).wrap_socket(connection, server_side=True)

    with raw_server(serve) as port, pytest.raises(NotTrusted) as caught:
        connect(port=port, ca_path=None, retries=0).read("/a")
    pem = (tmp_path / "seen" / "server.pem").read_text()
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()
    assert _in_pairs(fingerprint) in caught.value.message
    assert len(accepted) == 1


# ---- a pinned certificate -----------------------------------------------------------------------------------------------


def test_a_pinned_certificate_needs_no_authority(server: WebServer, connect: Connect, tls: Tls) -> None:
    assert connect(ca_path=None, fingerprint=_in_pairs(tls.fingerprint)).read("/a").status == 200
    assert connect(ca_path=None, fingerprint=tls.fingerprint, validate_certs=False).read("/a").status == 200
    assert connect(fingerprint=tls.fingerprint).read("/a").status == 200


def test_a_certificate_other_than_the_pinned_one(server: WebServer, connect: Connect, tls: Tls) -> None:
    wrong = "0" * 64
    changes: dict[str, Any]
    for changes in ({"ca_path": None}, {}, {"ca_path": None, "validate_certs": False}, {"validate_certs": False}):
        with pytest.raises(NotTrusted, match="is not the pinned one") as caught:
            connect(fingerprint=wrong, **changes).read("/a")
        assert _in_pairs(wrong) in caught.value.message
        assert _in_pairs(tls.fingerprint) in caught.value.message
        assert "Find out why" in (caught.value.hint or "")
    assert server.received == []


def test_a_pin_does_not_make_up_for_a_wrong_authority(
    server: WebServer, connect: Connect, tls: Tls, tmp_path: Path
) -> None:
    with pytest.raises(NotTrusted):
        connect(ca_path=str(prepare_tls(tmp_path, "127.0.0.1").ca_path), fingerprint=tls.fingerprint).read("/a")
    assert server.received == []


# ---- whom to trust ------------------------------------------------------------------------------------------------------


def test_validation_that_is_off_is_off(server: WebServer, connect: Connect, tmp_path: Path) -> None:
    other = prepare_tls(tmp_path, "127.0.0.1")
    (tmp_path / "empty.pem").touch()
    for ca_path in (None, str(other.ca_path), str(tmp_path / "empty.pem"), "/does/not/exist"):
        assert connect(ca_path=ca_path, validate_certs=False).read("/a").status == 200


def _der(tls: Tls, path: Path) -> None:
    path.write_bytes(ssl.PEM_cert_to_DER_cert(tls.ca_path.read_text()))


@pytest.mark.parametrize(
    "make",
    [
        _der,
        lambda _tls, path: path.touch(),
        lambda tls, path: path.write_bytes(tls.key_path.read_bytes()),
        lambda tls, path: path.write_text(tls.ca_path.read_text().replace("MII", "AAA", 1)),
        lambda _tls, path: path.write_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        lambda tls, path: (path.mkdir(), (path / "ca.pem").write_text(tls.ca_path.read_text())),
    ],
    ids=["der", "empty", "key", "broken", "nothing between", "folder without hashed names"],
)
def test_a_ca_path_without_a_certificate(
    make: Callable[[Tls, Path], Any], server: WebServer, connect: Connect, tls: Tls, tmp_path: Path
) -> None:
    path = tmp_path / "authorities"
    make(tls, path)
    with pytest.raises(InputError) as caught:
        connect(ca_path=str(path))
    assert caught.value.message == f"ca_path holds no certificate in PEM: {path}."
    assert "openssl" in (caught.value.hint or "")
    assert server.connections == 0


def test_a_folder_of_authorities(server: WebServer, connect: Connect, tls: Tls, tmp_path: Path) -> None:
    folder = tmp_path / "authorities"
    folder.mkdir()
    done = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(tls.ca_path)], capture_output=True, text=True, check=True
    )
    (folder / f"{done.stdout.strip()}.0").write_text(tls.ca_path.read_text())
    assert connect(ca_path=str(folder)).read("/a").status == 200


def test_a_file_with_comments_and_several_authorities(
    server: WebServer, connect: Connect, tls: Tls, tmp_path: Path
) -> None:
    other = prepare_tls(tmp_path, "127.0.0.1")
    path = tmp_path / "both.pem"
    path.write_text(f"Удостоверяющий центр\n{other.ca_path.read_text()}\n# second\n{tls.ca_path.read_text()}")
    assert connect(ca_path=str(path)).read("/a").status == 200


def test_a_ca_path_that_is_not_ascii_in_a_locale_that_is(server: WebServer, tls: Tls, tmp_path: Path) -> None:
    folder = tmp_path / "Сертификаты"
    folder.mkdir()
    (folder / "ца.pem").write_text(tls.ca_path.read_text())
    utilities = "ansible_collections.ksvla.light_agent.plugins.module_utils"
    code = (
        "import sys\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "from support.web import logged_in, settings\n"
        f"from {utilities}._transport.session import Session\n"
        "assert sys.getfilesystemencoding() == 'ascii'\n"
        f"from {utilities}._module.run import with_local_paths\n"
        f"paths = with_local_paths({{'ca_path': {{'type': 'path'}}}}, {{'ca_path': {str(folder / 'ца.pem')!a}}}, str)\n"
        f"given = settings(host={server.host!r}, port={server.port}, **paths)\n"
        "print(Session(logged_in(given)).read('/a').status)\n"
    )
    environment = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.stdout, done.stderr) == ("200\n", "")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_an_authority_from_the_environment(
    variable: str, server: WebServer, connect: Connect, tls: Tls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, str(tls.ca_path))
    assert connect(ca_path=None).read("/a").status == 200
    monkeypatch.setenv(variable, str(tmp_path / "missing.pem"))
    with pytest.raises(InputError, match=f"{variable} cannot be read: .*missing.pem: No such file"):
        connect(ca_path=None)


# ---- what does not speak TLS as it should -------------------------------------------------------------------------------


def _refusal(connect: Connect, port: int, **changes: Any) -> KsvlaError:
    with pytest.raises(KsvlaError) as caught:
        connect(port=port, retries=0, **changes).write(Request("POST", "/a"))
    assert caught.value.server == f"127.0.0.1:{port}"
    return caught.value


def test_a_server_that_speaks_http(connect: Connect) -> None:
    """Some answer with a status line, some with a page alone."""
    for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"<html>Bad Request</html>"):
        with raw_server(lambda connection, answer=answer: connection.sendall(answer)) as port:
            error = _refusal(connect, port)
        assert isinstance(error, NotConnected)
        assert error.message == f"No connection to 127.0.0.1:{port}: it speaks HTTP, not HTTPS."
        assert "Check host and port" in (error.hint or "")


def test_a_server_that_speaks_something_else(connect: Connect) -> None:
    with raw_server(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")) as port:
        assert _refusal(connect, port).reason == "it does not speak TLS"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1 is deprecated")
def test_a_server_whose_tls_is_too_old(connect: Connect, tls: Tls) -> None:
    old = tls.context()
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1
    with raw_server(lambda _connection: None, old) as port:
        assert _refusal(connect, port).reason == "it speaks TLS older than 1.2"


def test_a_connection_that_ends_during_the_handshake(connect: Connect) -> None:
    with raw_server(lambda connection: connection.recv(1) and None) as port:
        error = _refusal(connect, port)
    assert isinstance(error, NotConnected)
    assert error.reason in ("connection reset", "connection closed during the TLS handshake")


def test_a_write_is_not_repeated_when_tls_breaks_after_it(connect: Connect, tls: Tls, clock: FakeClock) -> None:
    """The server reads the request, and what comes back is not TLS any more."""
    received: list[bytes] = []

    def serve(plain: socket.socket) -> None:
        raw = plain.dup()
        with raw, tls.context().wrap_socket(plain, server_side=True) as connection:
            received.append(connection.recv(65536))
            raw.sendall(b"this is not a TLS record")

    with raw_server(serve) as port, pytest.raises(OutcomeUnknown):
        connect(port=port).write(Request("POST", "/a"))
    assert len(received) == 1


def test_closing_a_connection_closes_its_sockets(server: WebServer, connect: Connect, clock: FakeClock) -> None:
    session = connect(retries=0)
    server.replies = [Reply(drop=True), Reply()]
    with pytest.raises(OutcomeUnknown) as caught:
        session.read("/a")
    session.read("/a")
    assert not server.all_closed.is_set()
    session.connection.close()
    assert server.all_closed.wait(10)
    assert caught.value.__traceback__ is not None  # it keeps whatever was under way from being collected
