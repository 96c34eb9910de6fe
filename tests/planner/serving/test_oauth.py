"""The login by a provider of identities, over real HTTP with a real one."""

import time

import pytest
import requests

from planner.store import Store
from tests.planner.serving.conftest import ROLES
from tests.planner.serving.identities import (
    BACK,
    SECRET,
    agree,
    asked_of,
    back,
    begin,
    enter,
    options,
    provider,
)
from tests.planner.serving.server import connect, desk, environment, free_port, token_of

OUTSIDE = {"X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A user's folder with three accounts that no password opens."""
    folder = tmp_path_factory.mktemp("home")
    with Store(environment(folder)["PLANNER_STORE"]) as store:
        for name, role in ROLES.items():
            store.accounts.add(name, role)
    return folder


@pytest.fixture(scope="module")
def places(home, village):
    """A provider, and a desk that takes its word."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    with provider(home, url + BACK) as true:
        more = {"port": port, "PLANNER_OAUTH_SECRET": SECRET}
        with desk(home, village, *options(url, true.issuer), **more) as url:
            yield true, url


@pytest.fixture
def office(places):
    """The provider, which says what is true again in the end."""
    yield places[0]
    places[0].be()


@pytest.fixture
def url(places):
    return places[1]


def refused(answer, status, words):
    """Whether somebody is told why they are not let in, in both languages."""
    told = (answer.status_code, words in answer.text, 'lang="en"' in answer.text)
    assert told == (status, True, True), answer.text
    assert "planner_session" not in answer.cookies
    assert "no-store" in answer.headers["Cache-Control"]
    # Nothing leads on by itself, so nobody is sent round and round.
    assert "Location" not in answer.headers
    return True


def test_the_way_in_with_each_role(url, office):
    for name, role in ROLES.items():
        browser, answer = enter(url, name, next="/?tab=plan")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/?tab=plan")
        assert browser.get(url, timeout=60).status_code == 200
        figures = browser.get(url + "metrics", headers=OUTSIDE, timeout=30)
        assert figures.status_code == (200 if role == "administrator" else 403)
    assert requests.get(url + "metrics", headers=OUTSIDE, timeout=30).status_code == 403


def test_nothing_of_the_provider_is_kept_in_the_browser(url, office):
    browser, answer = enter(url, "qian")
    told = [one for one in answer.raw.headers.getlist("Set-Cookie") if "planner_session" in one]
    assert all(flag in told[0] for flag in ("HttpOnly", "SameSite=Lax", "Path=/"))
    assert [cookie.name for cookie in browser.cookies] == ["planner_session"]
    assert len(browser.cookies["planner_session"]) < 300
    held = browser.get(url, timeout=60).text + browser.cookies["planner_session"]
    assert not [word for word in office.be() if word in held]


def test_an_attempt_is_sent_as_it_should(url, office):
    browser, there = begin(url)
    assert there.startswith(f"{office.issuer}/authorize?tenant=office&")
    asked = asked_of(there)
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == url + BACK
    assert "prompt" not in asked
    assert SECRET not in there
    lengths = [len(asked[name]) for name in ("state", "nonce", "code_challenge")]
    assert lengths == [43, 43, 43]
    (cookie,) = browser.cookies
    assert (cookie.path, cookie.has_nonstandard_attr("HttpOnly")) == ("/login", True)
    assert 0 < cookie.expires - time.time() <= 600
    assert asked_of(begin(url)[1])["nonce"] != asked["nonce"]
    assert asked_of(begin(url, again="1")[1])["prompt"] == "login"


def test_several_pages_may_be_opened_at_once(url, office):
    browser = requests.Session()
    ways = [begin(url, browser, next=f"/?tab={tab}")[1] for tab in ("plan", "data", "siting")]
    led = [back(browser, agree(there, "sun")).headers["Location"] for there in ways]
    assert led == ["/?tab=plan", "/?tab=data", "/?tab=siting"]
    for _ in range(30):
        begin(url, browser)
    assert len(browser.cookies) < 12


@pytest.mark.parametrize("way", ["absent", "empty", "foreign", "replayed", "expired", "forged"])
def test_a_state_that_is_not_this_browsers_is_refused(url, office, home, way):
    browser, there = begin(url)
    led = agree(there, "qian")
    code = asked_of(led)["code"]
    if way == "absent":
        led = f"{url}{BACK}?code={code}"
    elif way == "empty":
        led = f"{url}{BACK}?code={code}&state="
        browser.cookies.set("planner_login_", "", path="/login")
    elif way == "foreign":
        browser, _ = begin(url)
    elif way == "replayed":
        assert back(browser, led).status_code == 303
        browser.cookies.clear(domain="127.0.0.1", path="/", name="planner_session")
    else:
        resign(browser, home, own=way == "expired")
    assert refused(back(browser, led), 400, "不是在此浏览器中开始")


def resign(browser, home, *, own):
    """Sign an attempt anew: eleven minutes ago, or with a secret of one's own."""
    from tornado.web import create_signed_value, decode_signed_value  # noqa: PLC0415

    (cookie,) = browser.cookies
    secret = (home / "data" / "coverage-planner" / "cookie-secret").read_text()
    held = decode_signed_value(secret, cookie.name, cookie.value.strip('"'))
    assert held is not None
    aged = (lambda: time.time() - 660) if own else time.time
    made = create_signed_value(secret if own else "x" * 40, cookie.name, held, clock=aged)
    browser.cookies.set(cookie.name, made.decode(), domain=cookie.domain, path=cookie.path)


@pytest.mark.parametrize(
    ("reason", "false"),
    [
        ("nonce", {"claims": {"nonce": "of another attempt"}}),
        ("nonce", {"claims": {"nonce": None}}),
        ("InvalidAudienceError", {"claims": {"aud": "mailbox"}}),
        ("azp", {"claims": {"aud": ["planner", "mailbox"]}}),
        ("azp", {"claims": {"azp": "mailbox"}}),
        ("InvalidIssuerError", {"claims": {"iss": "http://127.0.0.1:1/realms/office"}}),
        ("ExpiredSignatureError", {"moments": {"exp": -90}}),
        ("MissingRequiredClaimError", {"claims": {"exp": None}}),
        ("DecodeError", {"claims": {"exp": "never"}}),
        ("ImmatureSignatureError", {"moments": {"iat": 3600}}),
        ("MissingRequiredClaimError", {"claims": {"sub": None}}),
        ("preferred_username", {"claims": {"preferred_username": ["zhao"]}}),
        ("algorithm", {"signed": "none"}),
        ("algorithm", {"signed": "public"}),
        ("InvalidSignatureError", {"signed": "stranger"}),
        ("key", {"signed": "unknown"}),
        ("sub", {"bare": True, "user": {"sub": "id-of-zhao"}}),
        ("iss", {"issuer": "https://id.example"}),
    ],
    ids=str,
)
def test_a_word_that_does_not_hold_lets_nobody_in(url, office, home, reason, false):
    office.be(**false)
    _, answer = enter(url, "qian")
    assert refused(answer, 502, "未通过查验")
    assert (home / "server.log").read_text().splitlines()[-1].endswith(f"（{reason}）。")


def test_a_word_said_again_as_it_was_holds(url, office):
    """What makes tokens false in the test above makes none false of itself."""
    office.be(claims={"azp": "planner", "aud": ["planner", "mailbox"]}, moments={"exp": -30})
    assert enter(url, "qian")[1].status_code == 303


def test_the_user_may_be_told_apart_from_the_token(url, office):
    office.be(bare=True)
    browser, answer = enter(url, "qian")
    assert answer.status_code == 303
    assert browser.get(url, timeout=60).status_code == 200


def test_an_answer_is_heard_up_to_a_quarter_of_a_megabyte(url, office):
    office.be(bare=True, user={"pad": "x" * 200_000})
    assert enter(url, "qian")[1].status_code == 303
    office.be(bare=True, user={"pad": "x" * 300_000})
    assert refused(enter(url, "qian")[1], 503, "稍后重试")


@pytest.mark.parametrize(
    "way", ["error", "nonsense", "list", "enormous", "elsewhere", "refused", "userinfo"]
)
def test_a_provider_out_of_order_is_said_to_be_so(url, office, way):
    office.be(**({"bare": True, "userinfo": "enormous"} if way == "userinfo" else {"token": way}))
    _, answer = enter(url, "qian")
    status, words = (403, "未准许") if way == "refused" else (503, "稍后重试")
    assert refused(answer, status, words)
    assert "story" not in answer.text


def test_a_code_is_worth_nothing_in_another_session(url, office):
    _, theirs = begin(url)
    code = asked_of(agree(theirs, "zhao"))["code"]
    browser, ours = begin(url)
    state = asked_of(ours)["state"]
    answer = back(browser, f"{url}{BACK}?code={code}&state={state}")
    assert refused(answer, 403, "未准许")


def test_a_code_is_worth_nothing_a_second_time(url, office):
    browser, there = begin(url)
    kept = [(cookie.name, cookie.value, cookie.path) for cookie in browser.cookies]
    led = agree(there, "qian")
    assert back(browser, led).status_code == 303
    again = requests.Session()
    for name, value, path in kept:
        again.cookies.set(name, value, domain="127.0.0.1", path=path)
    assert refused(back(again, led), 403, "未准许")


@pytest.mark.parametrize("asked", ["error=access_denied", "error=x%0Ay", "", "code="])
def test_a_login_that_the_provider_breaks_off(url, office, asked):
    browser, there = begin(url)
    state = asked_of(there)["state"]
    assert refused(back(browser, f"{url}{BACK}?{asked}&state={state}"), 403, "未准许")
    # What cannot be read as an address at all is answered shortly.
    assert back(browser, f"{url}{BACK}?state=%FF").status_code == 400


def test_a_refusal_at_the_provider(url, office):
    browser, there = begin(url)
    assert refused(back(browser, agree(there, "")), 403, "未准许")


@pytest.mark.parametrize(
    "name", ["li", "ｚｈａｏ", "Zhao", " zhao", "<b>zhao</b>", "zhao\0", "x" * 5000]
)
def test_whom_no_account_names_is_told_whom_to_ask(url, office, name):
    browser, answer = enter(url, name, next="/?tab=plan")
    assert refused(answer, 403, "不在规划台的用户名单上")
    assert "<b>" not in answer.text
    assert 'href="/login?next=%2F%3Ftab%3Dplan&amp;again=1"' in answer.text
    assert len(answer.text) < 6000
    assert browser.get(url, allow_redirects=False, timeout=60).status_code == 302


def test_letters_that_cannot_be_written_are_nobodys(url, office):
    office.be(bare=True, user={"preferred_username": "zhao\udc80"})
    assert refused(enter(url, "zhao")[1], 403, "zhao?")


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_way_leads_nowhere_else(url, office, where):
    _, answer = enter(url, "sun", next=where)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_an_address_too_long_for_a_cookie_leads_home(url, office):
    _, answer = enter(url, "sun", next="/?" + "x" * 5000)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_nobody_joins_the_desk_of_another(url, office):
    browsers = [enter(url, name)[0] for name in ("qian", "sun")]
    token = token_of(browsers[0].get(url, timeout=60).text)
    cookies = [{"planner_session": one.cookies["planner_session"]} for one in browsers]
    origin = url.rstrip("/")
    assert connect(url, token, cookies=cookies[1], origin=origin) == 403
    assert connect(url, token, cookies=cookies[0], origin=origin)["msgtype"] == "ACK"


def test_who_is_removed_is_out(url, office, home):
    with Store(environment(home)["PLANNER_STORE"]) as store:
        store.accounts.add("wu", "viewer")
        browser, _ = enter(url, "wu")
        assert browser.get(url, allow_redirects=False, timeout=60).status_code == 200
        store.accounts.remove("wu")
        assert browser.get(url, allow_redirects=False, timeout=60).status_code == 302
        store.accounts.add("wu", "administrator")
        assert browser.get(url, allow_redirects=False, timeout=60).status_code == 302


def test_a_ticket_holds_half_a_day(url, office, home):
    from tornado.web import create_signed_value, decode_signed_value  # noqa: PLC0415

    browser, _ = enter(url, "sun")
    secret = (home / "data" / "coverage-planner" / "cookie-secret").read_text()
    ticket = browser.cookies["planner_session"].strip('"')
    held = decode_signed_value(secret, "planner_session", ticket)
    until = float(held.decode().rstrip("]").rsplit(",", 1)[1])
    assert 11.9 < (until - time.time()) / 3600 <= 12
    late = held.decode().replace(str(int(until)), str(int(time.time()) - 1))
    aged = create_signed_value(secret, "planner_session", late).decode()
    answer = requests.get(url, cookies={"planner_session": aged}, allow_redirects=False, timeout=30)
    assert answer.status_code == 302


def test_out_means_out(url, office):
    browser, _ = enter(url, "qian")
    answer = browser.get(url + "logout", allow_redirects=False, timeout=30)
    assert answer.status_code == 200
    assert "已退出规划台" in answer.text
    assert "You are signed out" in answer.text
    assert f"{office.issuer}/leave?client_id=planner" in answer.text
    assert not list(browser.cookies)
    assert browser.get(url, allow_redirects=False, timeout=60).status_code == 302


def test_nothing_secret_is_in_the_log(url, office, home):
    """Of all that the tests before have said, and of one more that is refused."""
    browser, there = begin(url)
    led = agree(there, "nobody")
    asked = asked_of(there)
    back(browser, led)
    back(browser, f"{url}{BACK}?state=%FF&code=a-code-that-nobody-gave")
    ticket = enter(url, "qian")[0].cookies["planner_session"].strip('"')
    log = (home / "server.log").read_text()
    assert "已拒绝" in log, "what is refused is logged"
    secrets = [SECRET, ticket, asked["state"], asked["nonce"], asked_of(led)["code"]]
    secrets += ["a-code-that", "story", (home / "data/coverage-planner/cookie-secret").read_text()]
    for word in [*secrets, *office.be()]:
        assert word not in log
    assert "Traceback" not in log
