"""What an office enters of a provider, and providers that are not at their best."""

import asyncio
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from threading import Thread
from urllib.parse import urlsplit

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

from layers.errors import InputError, ProviderDoubtedError, ProviderLostError
from planner.cli import main
from planner.serving import OAuth, openid
from planner.serving.attempt import Attempt
from planner.serving.exchange import Exchange
from planner.serving.inquiry import inquire
from planner.serving.openid import Issuer, read_token
from planner.store import Store
from tests.planner.serving import identities
from tests.planner.serving.identities import BACK, KEY, SECRET, agree, asked_of, back, begin, enter
from tests.planner.serving.server import desk, environment, free_port

HERE = "https://planner.example/login/back"
ISSUER = "https://id.example"


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    with identities.provider(tmp_path_factory.mktemp("office"), HERE) as one:
        yield one


def entered(kind="openid", **more):
    told = {"key": KEY, "secret": SECRET, "redirect": HERE, "extra": {}, **more}
    return OAuth.of(kind, **told)


def test_what_an_office_enters():
    own = entered(issuer=ISSUER)
    assert (own.scope, own.user, own.role) == ("openid profile email", "preferred_username", None)
    assert SECRET not in repr(own)
    hub = entered("github")
    assert (hub.user, hub.addresses.token[:19]) == ("login", "https://github.com/")
    assert entered("github", extra={"SCOPE": "user:email"}, user="email").scope == "user:email"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--oauth-issuer", {}),
        ("--oauth-issuer", {"kind": "github", "issuer": ISSUER}),
        ("https", {"issuer": "http://id.example"}),
        ("https", {"issuer": "https://user:word@id.example"}),
        ("https", {"issuer": "https://id.example:port"}),
        ("https", {"issuer": ISSUER, "redirect": "http://planner.example/login/back"}),
        ("--oauth-user", {"kind": "generic"}),
        ("USER_URL", {"kind": "generic", "user": "login", "extra": {"TOKEN_URL": ISSUER}}),
        ("AUTHORIZE_URL", {"issuer": ISSUER, "extra": {"authorize_url": ISSUER}}),
        ("github", {"kind": "githab"}),
    ],
)
def test_what_could_not_work_is_refused(words, told):
    with pytest.raises(InputError, match=words):
        entered(**told)


def test_people_come_back_to_the_desk_itself():
    own = entered(issuer=ISSUER, redirect="https://planner.example/planner/login/back")
    own.refuse_elsewhere("/planner")
    for prefix in ("", "/desk"):
        with pytest.raises(InputError, match="/login/back"):
            own.refuse_elsewhere(prefix)


@pytest.mark.parametrize(
    ("words", "more", "secret"),
    [
        ("PLANNER_OAUTH_SECRET", ["--oauth-redirect", HERE], ""),
        ("--oauth-redirect", [], SECRET),
        ("/planner/login/back", ["--oauth-redirect", HERE, "--prefix", "/planner"], SECRET),
    ],
)
def test_the_command_names_what_is_missing(tmp_path, monkeypatch, capsys, words, more, secret):
    told = {**environment(tmp_path), "PLANNER_OAUTH_SECRET": secret}
    for name in ("PLANNER_LANG", "PLANNER_STORE", "XDG_DATA_HOME", "PLANNER_OAUTH_SECRET"):
        monkeypatch.setenv(name, told[name])
    with Store(told["PLANNER_STORE"]) as store:
        store.accounts.add("zhao", "administrator")
    # No city is looked for before the entry is in order.
    serve = ["serve", "--city", "nowhere", "--oauth-issuer", ISSUER, "--oauth-key", KEY, *more]
    assert main(serve) == 1
    said = capsys.readouterr().err
    assert words in said.replace("\n", "")
    assert SECRET not in said


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:{port}/", "http://127.0.0.1:{port}/x y", "http://\udc80.example/"]
)
def test_a_provider_that_is_not_there(address):
    with pytest.raises(ProviderLostError) as lost:
        asyncio.run(inquire(address.format(port=free_port()), form={"code": "a secret code"}))
    assert "secret" not in str(lost.value)


def test_a_slow_provider_is_not_waited_for(office):
    office.be(userinfo="slow", seconds=1.0)
    with pytest.raises(ProviderLostError, match="Timeout"):
        asyncio.run(inquire(f"{office.issuer}/userinfo", seconds=0.2))


def known(office, **document):
    """Read what it tells of itself."""
    office.be(document=document)
    return asyncio.run(Issuer(office.issuer, KEY).addresses())


def test_a_provider_tells_where_it_is_asked(office):
    assert known(office).basic
    assert known(office).token == f"{office.issuer}/token"
    assert not known(office, token_endpoint_auth_methods_supported=["client_secret_post"]).basic


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://id.example"},
        {"issuer": None},
        {"token_endpoint": "http://id.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": ["https://id.example/keys"]},
        {"userinfo_endpoint": "http://id.example/user"},
        {"end_session_endpoint": "//evil.example"},
        {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
        {"token_endpoint_auth_methods_supported": "client_secret_basic"},
    ],
    ids=str,
)
def test_a_provider_that_tells_nothing_of_use(office, document):
    with pytest.raises(ProviderLostError, match=next(iter(document))):
        known(office, **document)


CLAIMS = {"iss": ISSUER, "sub": "1", "aud": KEY, "iat": 0, "exp": 4e9, "nonce": "n"}
EC = ECKey.generate_key("P-256", {"kid": "ec"}, auto_kid=False)


def signed(key, algorithm, **header):
    return jwt.encode({"alg": algorithm, **header}, CLAIMS, key, algorithms=[algorithm])


def test_tokens_of_every_public_key_are_read():
    keys = [EC, RSAKey.generate_key(2048, {"kid": "rsa"}, auto_kid=False)]
    public = [one.as_dict(private=False) for one in keys]
    for key, algorithm in zip([EC, keys[1], keys[1]], ["ES256", "RS512", "PS256"], strict=True):
        token = signed(key, algorithm, kid=key.kid)
        assert read_token(token, public, ISSUER, KEY, "n")["sub"] == "1"
    # Which of the two it is of has to be said.
    with pytest.raises(ProviderDoubtedError, match="key"):
        read_token(signed(EC, "ES256"), public, ISSUER, KEY, "n")
    assert read_token(signed(EC, "ES256"), public[:1], ISSUER, KEY, "n")["sub"] == "1"


@pytest.mark.parametrize(
    ("key", "algorithm", "told"),
    [
        (EC, "ES256", {"use": "enc"}),
        (EC, "ES256", {"alg": "RS256"}),
        (EC, "ES256", {"kty": "RSA", "n": "AQAB", "e": "AQAB"}),
        (EC, "ES256", {"x": "AA"}),
        (OctKey.generate_key(256), "HS256", {}),
    ],
)
def test_a_key_that_does_not_fit_reads_nothing(key, algorithm, told):
    public = {**key.as_dict(private=key.key_type == "oct"), **told}
    with pytest.raises(ProviderDoubtedError):
        read_token(signed(key, algorithm), [public], ISSUER, KEY, "n")


@pytest.mark.filterwarnings("ignore:Key size should be")
def test_a_key_that_can_be_broken_reads_nothing():
    small = RSAKey.generate_key(1024)
    with pytest.raises(ProviderDoubtedError, match="InvalidKeyError"):
        read_token(signed(small, "RS256"), [small.as_dict(private=False)], ISSUER, KEY, "n")


@pytest.mark.parametrize("token", ["", "a.b.c", "....", "\udc80", "W10.W10.W10", "9" * 10_000])
def test_what_is_no_token_reads_nothing(token):
    with pytest.raises(ProviderDoubtedError):
        read_token(token, [EC.as_dict(private=False)], ISSUER, KEY, "n")


def named(exchange, office, name, **false):
    """Go the whole way of an exchange."""
    attempt = Attempt.begin("/")
    led = agree(asyncio.run(exchange.begin(attempt)), name)
    office.be(**false)
    return asyncio.run(exchange.name(asked_of(led)["code"], attempt))


def test_a_provider_may_change_its_keys(office, monkeypatch):
    exchange = Exchange(entered(issuer=office.issuer))
    office.be()
    assert named(exchange, office, "qian") == "qian"
    with pytest.raises(ProviderDoubtedError, match="key"):
        named(exchange, office, "qian", signed="unknown", changed=True)
    # They are asked for anew, but not more often than that.
    monkeypatch.setattr(openid, "_PAUSE_S", 0)
    assert named(exchange, office, "qian", signed="unknown", changed=True) == "qian"
    with pytest.raises(ProviderDoubtedError, match="InvalidSignature"):
        named(exchange, office, "qian", signed="stranger")


@pytest.mark.parametrize("verified", [False, "false"])
def test_an_address_that_anybody_may_claim_names_nobody(office, verified):
    exchange = Exchange(entered(issuer=office.issuer, user="email"))
    assert named(exchange, office, "qian") == "qian@x.example"
    with pytest.raises(ProviderDoubtedError, match="email_verified"):
        named(exchange, office, "qian", claims={"email_verified": verified})


def test_a_number_may_name_somebody(office):
    assert named(Exchange(entered(issuer=office.issuer, user="number")), office, "qian") == "7"


ASK = """
import asyncio, sys
from planner.serving.inquiry import inquire
print(asyncio.run(inquire(sys.argv[1])))
"""


@pytest.fixture
def encrypted(tmp_path):
    """An address by https, and the file of the authority that it goes by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "office")])
    now = datetime.now(UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(1))
        .not_valid_after(now + timedelta(1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    own = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "own.pem").write_bytes(own + made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "office.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "own.pem")

    def answer(_environ, start):
        start("200 OK", [("Content-Type", "application/json")])
        return [b'{"issuer": "office"}']

    server = make_server("127.0.0.1", 0, answer, ssl_context=context, request_handler=Silent)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/", tmp_path / "office.pem"
    server.shutdown()
    thread.join()
    server.server_close()


class Silent(WSGIRequestHandler):
    """Logs nothing."""

    def log(self, *_):
        pass


def test_an_authority_of_ones_own_has_to_be_named(encrypted, tmp_path):
    address, authority = encrypted
    with pytest.raises(ProviderLostError, match="SSL"):
        asyncio.run(inquire(address))
    told = subprocess.run(
        [sys.executable, "-c", ASK, address],
        env={**environment(tmp_path), "SSL_CERT_FILE": str(authority)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (told.returncode, told.stdout.strip()) == (0, "{'issuer': 'office'}"), told.stderr


@pytest.fixture(scope="module")
def plain(tmp_path_factory, village):
    """Two servers below a path, and a provider of plain OAuth 2 that all who know may enter."""
    folder = tmp_path_factory.mktemp("plain")
    with Store(environment(folder)["PLANNER_STORE"]) as store:
        store.accounts.add("zhao", "administrator")
    port = free_port(2)
    url = f"http://127.0.0.1:{port}/planner/"
    with identities.provider(folder, url + BACK) as true:
        pairs = [("AUTHORIZE", "authorize"), ("TOKEN", "token"), ("USER", "userinfo")]
        extra = [f"{name}_URL={true.issuer}/{place}" for name, place in pairs]
        options = ["--oauth-provider", "generic", "--oauth-key", KEY, "--oauth-user", "login"]
        options += ["--oauth-redirect", url + BACK, "--oauth-role", "viewer", "--behind-proxy"]
        options += [word for one in extra for word in ("--oauth-extra", one)]
        options += ["--workers", "2", "--prefix", "/planner"]
        more = {"port": port, "ports": 2, "prefix": "/planner", "PLANNER_OAUTH_SECRET": SECRET}
        with desk(folder, village, *options, **more) as url:
            yield true, url, folder


def test_plain_oauth_lets_in_those_it_names(plain):
    true, url, folder = plain
    outside, browsers = {"X-Forwarded-For": "203.0.113.9"}, {}
    for name, status in (("zhao", 200), ("li", 403)):
        browser, there = begin(url)
        browsers[name] = browser
        assert "nonce" not in there
        assert "scope=" not in there
        assert back(browser, agree(there, name)).status_code == 303
        assert browser.get(url, timeout=60).status_code == 200
        figures = browser.get(url + "metrics", headers=outside, timeout=30)
        assert figures.status_code == status
    with Store(environment(folder)["PLANNER_STORE"]) as store:
        # Whoever was let in without an account enters anew once there is one.
        store.accounts.add("li", "planner")
        # And so does whoever had one that is gone.
        store.accounts.remove("zhao")
    for browser in browsers.values():
        assert browser.get(url, allow_redirects=False, timeout=60).status_code == 302
    # A name that is written like one of ours, and is not, is nobody's.
    assert enter(url, "ｌｉ")[1].status_code == 403
    for false in ({"userinfo": "enormous"}, {"userinfo": "nonsense"}, {"token": "error"}):
        true.be(**false)
        assert enter(url, "li")[1].status_code == 503
    true.be(user={"login": None})
    assert enter(url, "li")[1].status_code == 502


def test_an_attempt_begun_at_one_server_ends_at_another(plain):
    true, url, _ = plain
    true.be()
    browser, there = begin(url, next="/planner/?tab=plan")
    assert [cookie.path for cookie in browser.cookies] == ["/planner/login"]
    port = urlsplit(url).port
    led = agree(there, "wu").replace(f":{port}/", f":{port + 1}/")
    outside = {"X-Forwarded-Proto": "https"}
    answer = back(browser, led, headers=outside)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/planner/?tab=plan")
    told = [one for one in answer.raw.headers.getlist("Set-Cookie") if "planner_session" in one]
    assert all(flag in told[0] for flag in ("Path=/planner/", "Secure", "HttpOnly"))


def test_a_provider_that_has_died_lets_nobody_in(plain):
    true, url, folder = plain
    true.be()
    browser, there = begin(url)
    led = agree(there, "li")
    true.process.kill()
    true.process.wait()
    answer = back(browser, led)
    assert answer.status_code == 503
    assert "稍后重试" in answer.text
    assert requests.get(url + "health", timeout=30).ok
    assert "Traceback" not in (folder / "server.log").read_text()
