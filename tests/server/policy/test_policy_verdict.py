"""What outcomes mean: by status, and by errors that real sockets make."""

from __future__ import annotations

import json
import re
import socket
import ssl
import struct
import threading
from datetime import datetime, timedelta, timezone

import gspread
import pytest
import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.auth.exceptions import MutualTLSChannelError, RefreshError, TransportError
from google.oauth2.credentials import Credentials
from gspread.exceptions import APIError
from throwaway_ca import SIGNS_CERTIFICATES
from waiting import PATIENCE

from queued_gspread.errors import BrokerUnavailableError, CallRefusedError, CallTimeoutError
from queued_gspread.server.policy.request import Failure, Response
from queued_gspread.server.policy.verdict import Verdict, VerdictKind, judge

FINAL, QUOTA, NO_TOKEN = VerdictKind.FINAL, VerdictKind.REFUSED_QUOTA, VerdictKind.UNAUTHENTICATED
NOT_SENT, UNKNOWN = VerdictKind.NOT_SENT, VerdictKind.UNKNOWN
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
SECRET = "s3cret"


class Peer:
    """A server that does with each connection what it is told to."""

    def __init__(self, *scripts):
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v4/x?key={SECRET}"
        self.closed = threading.Event()
        self.release = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self):
        for script in self._scripts:
            connection = self._listener.accept()[0]
            connection.settimeout(PATIENCE)
            with connection:
                script(self, connection)
            self.closed.set()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.release.set()
        self._thread.join()
        self._listener.close()


def read(connection):
    """Read a request to its end: what is left unread when a socket is closed resets it."""
    head = b""
    while b"\r\n\r\n" not in head:
        head += _received(connection)
    head, body = head.split(b"\r\n\r\n", 1)
    length = re.search(rb"Content-Length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += _received(connection)


def _received(connection):
    found = connection.recv(65536)
    assert found, "the request is not whole"
    return found


def answering(*answers):
    """Return a script that reads a request before each answer, and closes after the last."""

    def script(peer, connection):
        for answer in answers:
            read(connection)
            connection.sendall(answer)

    return script


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_unread(peer, connection):
    # Not before a byte is there: a reset while the client still connects comes before any request.
    assert connection.recv(1, socket.MSG_PEEK)
    reset(connection)


def read_and_reset(peer, connection):
    read(connection)
    reset(connection)


def serve_and_reset(peer, connection):
    answering(OK)(peer, connection)
    read_and_reset(peer, connection)


def read_and_hold(peer, connection):
    read(connection)
    peer.release.wait(PATIENCE)


def begin_and_hold(peer, connection):
    answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")(peer, connection)
    peer.release.wait(PATIENCE)


def headed(*lines, status="200 OK", body=b""):
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body


@pytest.fixture
def session():
    """Return a session that looks for no proxy."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def outcome(session, url, timeout=PATIENCE):
    """Return what comes of a request that a real HTTP client of gspread's sends."""
    http = gspread.HTTPClient(None, session=session)
    http.set_timeout(timeout)
    try:
        return Response(http.request("post", url, json={"values": [[SECRET]]}))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is judged
        return Failure(error)


def judged(session, url, timeout=PATIENCE):
    found = judge(outcome(session, url, timeout))
    assert SECRET not in found.why
    return found


# Connections -----------------------------------------------------------------------------------


def test_a_refused_port(session):
    """A connection that is refused took nothing along."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = judged(session, f"http://127.0.0.1:{port}/{SECRET}")
    assert found.kind is NOT_SENT
    assert found.why in ("connection refused", "no connection")


def test_a_name_that_is_not_found(session, monkeypatch):
    """A host that has no address got nothing."""

    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    found = judged(session, f"https://sheets.googleapis.com/{SECRET}")
    assert found.kind is NOT_SENT
    assert found.why in ("host not found", "no connection")


def test_a_connection_that_takes_too_long(session):
    """A time-out while connecting comes before anything is sent."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for other in waiting:  # they fill the backlog, and what comes then is not answered
            other.setblocking(False)
            other.connect_ex(listener.getsockname())
        found = judged(session, f"http://127.0.0.1:{listener.getsockname()[1]}/", 0.05)
        for other in waiting:
            other.close()
    assert found == Verdict(NOT_SENT, None, "no connection in time")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (reset_unread, {"connection reset", "connection closed without an answer"}),
        (read_and_reset, {"connection reset"}),
        (answering(b""), {"connection closed without an answer"}),
        (answering(b"nonsense\r\n\r\n"), {"connection broken"}),
        (answering(headed("Content-Length: 99", body=b"{")), {"answer cut off"}),
        (answering(headed("Transfer-Encoding: chunked", body=b"9\r\n{")), {"answer cut off"}),
        (
            answering(headed("Content-Encoding: gzip", "Content-Length: 3", body=b"abc")),
            {"answer not readable"},
        ),
    ],
)
def test_a_connection_that_breaks(session, script, why):
    """Whatever breaks once there is a connection may come after the request was applied."""
    with Peer(script) as peer:
        found = judged(session, peer.url)
    assert found.kind is UNKNOWN
    assert found.why in why


@pytest.mark.parametrize("script", [read_and_hold, begin_and_hold])
def test_an_answer_that_takes_too_long(session, script):
    """A time-out while reading says nothing of what was done, nor does one within the body."""
    with Peer(script) as peer:
        assert judged(session, peer.url, 0.2) == Verdict(UNKNOWN, None, "no answer in time")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (answering(OK, b""), "connection closed without an answer"),
        (serve_and_reset, "connection reset"),
    ],
)
def test_a_connection_that_is_used_again(session, script, why):
    """A request on a used connection that closes under it may have been read."""
    with Peer(script) as peer:
        assert judged(session, peer.url) == Verdict(FINAL, None, "HTTP 200")
        assert judged(session, peer.url) == Verdict(UNKNOWN, None, why)


def test_a_connection_that_was_closed_before(session):
    """A connection that is seen to be closed is not used: the request goes out on another."""
    with Peer(answering(OK), answering(OK)) as peer:
        judged(session, peer.url)
        assert peer.closed.wait(PATIENCE)
        assert judged(session, peer.url).kind is FINAL


def test_a_closed_pool(session, monkeypatch):
    """A request that meets a closed pool of connections is not sent."""
    adapter = session.get_adapter("http://x")
    pool = adapter.poolmanager.connection_from_url("http://127.0.0.1:9")
    pool.close()
    monkeypatch.setattr(type(adapter), "get_connection_with_tls_context", lambda *_, **__: pool)
    found = judged(session, "http://127.0.0.1:9/")
    assert found == Verdict(NOT_SENT, None, "connection pool closed")


def test_no_tls(session):
    """A handshake that fails for another reason than the certificate is unknown."""

    def answer_in_the_clear(peer, connection):
        _received(connection)
        connection.sendall(b"HTTP/1.1 400 no\r\n\r\n")

    with Peer(answer_in_the_clear) as peer:
        found = judged(session, f"https://127.0.0.1:{peer.port}/")
    assert found.kind is UNKNOWN


@pytest.fixture
def certificate(tmp_path):
    """Return the file of a certificate that nobody trusts, for another host."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "elsewhere")])
    now = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("elsewhere")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(SIGNS_CERTIFICATES, critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "certificate.pem"
    form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    file.write_bytes(key.private_bytes(pem, form, no_password) + made.public_bytes(pem))
    return str(file)


@pytest.mark.parametrize("is_trusted", [False, True])
def test_a_certificate_that_is_not_accepted(session, certificate, is_trusted):
    """A certificate of nobody's, or for another host, stays as it is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def shake_hands(peer, connection):
        try:
            context.wrap_socket(connection, server_side=True).close()
        except (ssl.SSLError, ConnectionError):
            return

    session.verify = certificate if is_trusted else True
    with Peer(shake_hands) as peer:
        found = judged(session, f"https://127.0.0.1:{peer.port}/")
    assert found == Verdict(FINAL, None, "certificate not accepted")


def test_a_proxy_that_is_not_there(session):
    """A request does not get past a proxy that refuses the connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    session.proxies = {"https": f"http://127.0.0.1:{port}"}
    assert judged(session, "https://sheets.googleapis.com/").kind is NOT_SENT


@pytest.mark.parametrize(("status", "expected"), [(503, NOT_SENT), (407, FINAL)])
def test_a_proxy_that_makes_no_tunnel(session, status, expected):
    """Without a tunnel nothing is sent; a proxy that wants a password will go on wanting it."""
    with Peer(answering(headed("Content-Length: 0", status=f"{status} no"))) as peer:
        session.proxies = {"https": f"http://127.0.0.1:{peer.port}"}
        found = judged(session, "https://sheets.googleapis.com/")
    assert found == Verdict(expected, None, f"proxy answered {status}")


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://x/", "http://", "http://a..b/", "http://*.x/", "http://[::1"]
)
def test_a_url_that_cannot_be_used(session, url):
    """What is wrong with a request stays wrong."""
    assert judged(session, url).kind is FINAL


def test_a_body_or_a_header_that_cannot_be_sent(session):
    """A body that is no JSON and a header with a line break in it are the caller's."""
    http = gspread.HTTPClient(None, session=session)
    for given in ({"json": {"x": float("nan")}}, {"headers": {"a": "b\r\nc"}}):
        with pytest.raises(requests.RequestException) as caught:
            http.request("post", "http://127.0.0.1:9/", **given)
        assert judge(Failure(caught.value)).kind is FINAL


# Tokens ----------------------------------------------------------------------------------------


def token_outcome(uri):
    """Return what comes of a request of a client whose token has to be fetched."""
    auth = Credentials(None, refresh_token="r", token_uri=uri, client_id="i", client_secret=SECRET)
    http = gspread.HTTPClient(auth)
    with http.session, http.session._auth_request.session as fetching:
        http.session.trust_env = fetching.trust_env = False
        try:
            return Response(http.request("get", "http://127.0.0.1:9/"))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is judged
            return Failure(error)


def token_judged(uri):
    found = judge(token_outcome(uri))
    assert SECRET not in found.why
    return found


def answers(status, body):
    return headed(f"Content-Length: {len(body)}", "Connection: close", status=status, body=body)


def test_a_token_that_cannot_be_fetched():
    """Without a connection to the token endpoint no request goes out."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = token_judged(f"http://127.0.0.1:{port}/token")
    assert found.kind is NOT_SENT
    assert found.why.startswith("no token: ")


def test_a_reset_at_the_token_endpoint():
    """A token endpoint that breaks off has no request of ours."""
    with Peer(read_and_reset) as peer:
        found = token_judged(peer.url)
    assert found == Verdict(NOT_SENT, None, "no token: connection reset")


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        ("400 Bad Request", b'{"error": "invalid_grant"}', FINAL),
        ("502 Bad Gateway", b"<html><title>Error 502 (Server Error)!!1</title>", NOT_SENT),
        ("404 Not Found", b"<html><title>Error 404 (Not Found)!!1</title>", FINAL),
    ],
)
def test_a_refused_token(status, body, expected):
    """A grant that is not accepted is the caller's; a page that says 502 passes."""
    with Peer(answering(answers(status, body))) as peer:
        assert token_judged(peer.url).kind is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RefreshError("x", retryable=True), NOT_SENT),
        (RefreshError("x", {"error": "y"}), FINAL),
        (TransportError("x"), NOT_SENT),
        (TransportError(MutualTLSChannelError("x")), FINAL),
        (TransportError(requests.exceptions.InvalidURL("x")), FINAL),
        (TransportError(ssl.SSLCertVerificationError("x")), FINAL),
        (MutualTLSChannelError("x"), FINAL),
    ],
)
def test_errors_of_google_auth(error, expected):
    """What passes is tried again, and what is wrong with the credentials is the caller's."""
    assert judge(Failure(error)).kind is expected


# Doubles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConnectionRefusedError(SECRET), NOT_SENT),
        (socket.gaierror(-2, SECRET), NOT_SENT),
        (ConnectionResetError(SECRET), UNKNOWN),
        (BrokenPipeError(SECRET), UNKNOWN),
        (ConnectionAbortedError(SECRET), UNKNOWN),
        (TimeoutError(SECRET), UNKNOWN),
        (requests.ConnectionError(SECRET), UNKNOWN),
        (requests.ConnectTimeout(SECRET), NOT_SENT),
        (requests.Timeout(SECRET), UNKNOWN),
        (requests.RequestException(SECRET), FINAL),
        (requests.JSONDecodeError(SECRET, "", 0), UNKNOWN),
        (requests.exceptions.RetryError(SECRET), UNKNOWN),
        (requests.TooManyRedirects(SECRET), FINAL),
        (urllib3.exceptions.EmptyPoolError(None, SECRET), NOT_SENT),
        (urllib3.exceptions.ProtocolError(SECRET), UNKNOWN),
        (FileNotFoundError(SECRET), FINAL),
        (ValueError(SECRET), FINAL),
        (CallRefusedError(SECRET), FINAL),
        (CallTimeoutError(SECRET), FINAL),
        (BrokerUnavailableError(SECRET), FINAL),
    ],
)
def test_errors_that_a_double_raises(error, expected):
    """An error without a nest is judged as well, and its text is not told."""
    found = judge(Failure(error))
    assert found.kind is expected
    assert found.why
    assert SECRET not in found.why


def test_an_error_that_holds_itself():
    """An error that is its own cause is looked at once."""
    error = ValueError("x")
    error.args, error.__cause__ = (error,), error
    assert judge(Failure(error)) == Verdict(FINAL, None, "ValueError")


class Answer:
    """What a test double returns."""

    def __init__(self, status_code, headers=None):
        self.status_code = status_code
        if headers is not None:
            self.headers = headers


@pytest.mark.parametrize("value", [None, {}, Answer("503"), Answer(None)])
def test_an_answer_without_a_status(value):
    """Whatever a double returns that has no status is its caller's."""
    assert judge(Response(value)) == Verdict(FINAL, None, "answered")


# Statuses --------------------------------------------------------------------------------------


def answer(status, body=b"", **headers):
    made = requests.Response()
    made.status_code, made._content = status, body
    made.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return made


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"error": {"code": 7, "message": "x"}}'])
@pytest.mark.parametrize(
    ("status", "expected"),
    [
        *((status, FINAL) for status in (200, 204, 302, 400, 403, 404, 407, 409, 412, 501, 505)),
        *((status, UNKNOWN) for status in (408, 499, 500, 502, 503, 504, 511, 599)),
        (401, NO_TOKEN),
        (429, QUOTA),
    ],
)
def test_a_status(status, expected, body):
    """The HTTP status decides, whatever the body, and whether it is raised or returned."""
    raised = judge(Failure(APIError(answer(status, body))) if body[:1] == b"{" or status >= 400
                   else Response(answer(status, body)))  # fmt: skip
    assert raised == judge(Response(answer(status, body))) == judge(Response(Answer(status)))
    assert raised.kind is expected
    assert str(status) in raised.why


def test_statuses_of_real_answers(session):
    """An answer that came through gspread is judged alike, HTML or not."""
    html = answers("503 Service Unavailable", b"<html>")
    refused = answers("429 Too Many Requests", b"{}")
    with Peer(answering(html), answering(refused), answering(answers("404 no", b""))) as peer:
        found = [judged(session, peer.url) for _ in range(3)]
    assert [one.kind for one in found] == [UNKNOWN, QUOTA, FINAL]


def drive(reason, domain="usageLimits"):
    errors = [{"domain": domain, "reason": reason, "message": SECRET}]
    return json.dumps({"error": {"errors": errors, "code": 403, "message": SECRET}}).encode()


@pytest.mark.parametrize(
    ("reason", "expected", "of"),
    [
        ("userRateLimitExceeded", QUOTA, "user"),
        ("rateLimitExceeded", QUOTA, ""),
        ("dailyLimitExceededUnreg", FINAL, ""),
        ("sharingRateLimitExceeded", FINAL, ""),
        ("insufficientFilePermissions", FINAL, ""),
    ],
)
def test_a_403(reason, expected, of):
    """A 403 is a limit that passes for two reasons alone; its domain does not tell."""
    found = judge(Failure(APIError(answer(403, drive(reason)))))
    assert (found.kind, found.of) == (expected, of)
    assert found.why == (f"403 ({reason})" if expected is QUOTA else "HTTP 403")


def sheets(limit, **metadata):
    message = f"Quota exceeded for quota metric 'x' and limit '{limit}' of service 'y'."
    return {"message": message, "details": [{"metadata": metadata}]}


@pytest.mark.parametrize(
    ("error", "why", "of"),
    [
        (
            sheets(
                "Write requests per minute per user", quota_limit="WriteRequestsPerMinutePerUser"
            ),
            "429 (Write requests per minute per user)",
            "user",
        ),
        (sheets("Read requests per minute"), "429 (Read requests per minute)", "project"),
        (
            {
                "message": "x",
                "details": [{"metadata": {"quota_limit": "ReadsPerMinutePerProject"}}],
            },
            "429 (ReadsPerMinutePerProject)",
            "project",
        ),
        ({"message": "x"}, "429", ""),
        ({"message": None, "details": ["x", {}], "errors": 3}, "429", ""),
        ({"message": "limit 'a\nb'"}, "429", ""),
        ("x", "429", ""),
    ],
)
def test_whose_limit_it_was(error, why, of):
    """Of a 429, the limit's name is told, and whether it is the user's or the project's."""
    found = judge(Response(answer(429, json.dumps({"error": error}).encode())))
    assert found == Verdict(QUOTA, None, why, of)


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
LATER = "Wed, 21 Oct 2015 07:28:30 GMT"
AT = 1445412480.0


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry_After": "7"}, 7.0),
        ({"retry_after": " 0 "}, 0.0),
        ({"Retry_After": LATER}, 35.0),
        ({"Retry_After": LATER, "Date": DATE}, 30.0),
        ({"Retry_After": DATE, "Date": LATER}, 0.0),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:30 -0000", "Date": "nonsense"}, 35.0),
        ({"Retry_After": "Wed, 21 Oct 2015 09:28:30 +0200"}, 35.0),
        ({"Retry_After": "-1"}, None),
        ({"Retry_After": "1.5"}, None),
        ({"Retry_After": "soon"}, None),
        ({"Retry_After": "9" * 400}, None),
        ({"Retry_After": "Wed, 99 Oct 2015 07:28:30 GMT"}, None),
        ({"Retry_After": ""}, None),
    ],
)
def test_how_long_to_wait(headers, expected):
    """A Retry-After is seconds or a date, measured by the answer's own clock where it has one."""
    for status in (429, 503):
        assert judge(Response(answer(status, **headers)), AT - 5).retry_after == expected


def test_headers_of_a_double():
    """The headers of a double may be a plain dictionary, in any case, or not be there."""
    assert judge(Response(Answer(503, {"RETRY-AFTER": 3}))).retry_after == 3.0
    assert judge(Response(Answer(503, 7))).retry_after is None


def test_a_date_without_a_clock():
    """Where neither the answer nor the caller says what time it is, the clock does."""
    assert judge(Response(answer(503, Retry_After=DATE))).retry_after == 0.0
