"""The login, knocked at over real HTTP and real sockets."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from planner.store import Store
from tests.planner.serving.conftest import PASSWORDS
from tests.planner.serving.server import connect, environment, login, token_of


@pytest.fixture
def qian(guarded):
    browser, answer = login(guarded, "qian", PASSWORDS["qian"])
    assert answer.status_code == 303
    return browser


def test_nobody_sees_anything_before_the_login(guarded):
    for path in ("", "autoload.js?bokeh-autoload-element=x", "metadata"):
        answer = requests.get(guarded + path, allow_redirects=False, timeout=30)
        assert answer.status_code in {302, 403}, path
        assert "token" not in answer.text
    assert requests.get(guarded + "tiles/x/0/wgs84/1/1/1", timeout=30).status_code == 404
    assert connect(guarded, "not.a.token") == 403


def test_the_page_speaks_both_languages_and_leads_on(guarded, qian):
    page = requests.get(guarded + "?tab=plan", timeout=30)
    assert page.url.startswith(guarded + "login?next=")
    assert "用户名" in page.text
    assert "Password" in page.text
    browser = requests.Session()
    asked = browser.get(guarded + "?tab=plan", timeout=30)
    token = asked.text.split('name="_xsrf" value="')[1].split('"')[0]
    words = {"username": "qian", "password": PASSWORDS["qian"], "_xsrf": token}
    led = browser.post(asked.url, data=words, allow_redirects=False, timeout=30)
    assert (led.status_code, led.headers["Location"]) == (303, "/?tab=plan")
    assert qian.get(guarded, timeout=60).status_code == 200


def test_the_cookie_cannot_be_read_by_scripts_or_sent_from_elsewhere(guarded):
    _, answer = login(guarded, "qian", PASSWORDS["qian"])
    told = answer.headers["Set-Cookie"]
    assert "HttpOnly" in told
    assert "SameSite=Lax" in told
    assert "qian" not in told


def test_the_page_gives_the_cookie_to_nobody(guarded, qian):
    page = qian.get(guarded, timeout=60).text
    from bokeh.util.token import get_token_payload  # noqa: PLC0415 - this test alone

    held = str(get_token_payload(token_of(page)))
    assert qian.cookies["planner_session"].strip('"') not in held
    assert "planner_session" not in held


def test_a_cookie_of_ones_own_making_is_worth_nothing(guarded):
    from tornado.web import create_signed_value  # noqa: PLC0415 - this test alone

    forged = create_signed_value("guessed" * 6, "planner_session", '["zhao", ""]').decode()
    answer = requests.get(
        guarded, cookies={"planner_session": forged}, allow_redirects=False, timeout=30
    )
    assert answer.status_code == 302


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_the_login_leads_nowhere_else(guarded, where):
    browser = requests.Session()
    page = browser.get(f"{guarded}login", params={"next": where}, timeout=30)
    token = page.text.split('name="_xsrf" value="')[1].split('"')[0]
    words = {"username": "sun", "password": PASSWORDS["sun"], "_xsrf": token}
    led = browser.post(page.url, data=words, allow_redirects=False, timeout=30)
    assert led.headers["Location"] == "/"


def test_a_form_of_somebody_elses_page_is_refused(guarded):
    words = {"username": "qian", "password": PASSWORDS["qian"]}
    answer = requests.post(guarded + "login", data=words, allow_redirects=False, timeout=30)
    assert answer.status_code == 403
    assert "planner_session" not in answer.cookies


def test_a_large_form_is_not_read(guarded):
    """The server answers the announcement of its length, before any of it is sent."""
    host, port = guarded.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as knock:
        knock.sendall(b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        assert knock.recv(1024).startswith((b"HTTP/1.1 400", b"HTTP/1.1 413"))


def test_a_hundred_attempts_are_slowed_and_locked(guarded, house):
    """From ten sides at once, as a program does that guesses."""

    def guess(number):
        begun = time.monotonic()
        _, answer = login(guarded, "zhao", f"wrong password {number}")
        return answer.status_code, time.monotonic() - begun, answer.headers.get("Retry-After")

    with ThreadPoolExecutor(10) as crowd:
        told = list(crowd.map(guess, range(100)))
    statuses = [status for status, _, _ in told]
    assert statuses.count(401) == 5
    assert statuses.count(429) == 95
    assert all(int(wait) > 800 for status, _, wait in told if status == 429)
    assert max(seconds for status, seconds, _ in told if status == 401) > 1
    # The right password does not open it either, and a name that nobody has fares the same.
    assert login(guarded, "zhao", PASSWORDS["zhao"])[1].status_code == 429
    strange = [login(guarded, "nobody", "x")[1].status_code for _ in range(7)]
    assert strange == [401] * 5 + [429] * 2
    with Store(environment(house)["PLANNER_STORE"]) as store:
        store.accounts.unlock("zhao")
    assert login(guarded, "zhao", PASSWORDS["zhao"])[1].status_code == 303


def test_a_forged_origin_opens_no_socket(guarded, qian):
    own = guarded.rstrip("/")
    token = token_of(qian.get(guarded, timeout=60).text)
    cookies = {name: value for name, value in qian.cookies.items() if name == "planner_session"}
    for forged in ("http://evil.example", own.replace("127.0.0.1", "127.0.0.1.evil.example")):
        assert connect(guarded, token, origin=forged, cookies=cookies) == 403
    assert connect(guarded, token, cookies={}, origin=own) == 403
    assert connect(guarded, token, cookies=cookies, origin=own)["msgtype"] == "ACK"


def test_nobody_joins_the_desk_of_another(guarded, qian):
    token = token_of(qian.get(guarded, timeout=60).text)
    other, _ = login(guarded, "sun", PASSWORDS["sun"])
    cookies = {"planner_session": other.cookies["planner_session"]}
    assert connect(guarded, token, cookies=cookies, origin=guarded.rstrip("/")) == 403


def test_a_session_of_ones_own_making_is_refused(guarded, qian):
    from bokeh.util.token import generate_jwt_token, generate_session_id  # noqa: PLC0415

    cookies = {"planner_session": qian.cookies["planner_session"]}
    session = generate_session_id(secret_key=b"x" * 40, signed=True)
    token = generate_jwt_token(session, secret_key=b"x" * 40, signed=True)
    told = connect(guarded, token, cookies=cookies, origin=guarded.rstrip("/"))
    assert told is None, "closed without a word"


def test_who_is_removed_or_gets_another_password_is_out(guarded, house):
    with Store(environment(house)["PLANNER_STORE"]) as store:
        store.accounts.add("li", "viewer", "a first secret 1")
        browser, _ = login(guarded, "li", "a first secret 1")
        assert browser.get(guarded, allow_redirects=False, timeout=60).status_code == 200
        store.accounts.set_password("li", "a second secret 2")
        assert browser.get(guarded, allow_redirects=False, timeout=60).status_code == 302
        browser, _ = login(guarded, "li", "a second secret 2")
        assert browser.get(guarded, allow_redirects=False, timeout=60).status_code == 200
        store.accounts.remove("li")
        assert browser.get(guarded, allow_redirects=False, timeout=60).status_code == 302


def test_out_means_out(guarded, qian):
    assert qian.get(guarded, allow_redirects=False, timeout=60).status_code == 200
    qian.get(guarded + "logout", timeout=30)
    assert qian.get(guarded, allow_redirects=False, timeout=60).status_code == 302


def test_health_and_figures(guarded, qian):
    assert requests.get(guarded + "health", timeout=30).json() == {"status": "ok", "store": True}
    figures = requests.get(guarded + "metrics", timeout=30)
    assert 'planner_sessions{state="connected"}' in figures.text
    assert 'planner_http_answers_total{status="200"}' in figures.text
    assert 'planner_logins_total{outcome="let_in"}' in figures.text
    assert figures.headers["Content-Type"].startswith("text/plain")


def test_every_answer_carries_the_headers(guarded, qian):
    for path in ("", "login", "health", "nothing", "static/js/bokeh.min.js", "leaflet/leaflet.js"):
        headers = qian.get(guarded + path, timeout=60).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["X-Frame-Options"] == "SAMEORIGIN"
        assert "object-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
        assert "Server" not in headers


def test_no_secret_is_in_the_log(guarded, house, qian):
    login(guarded, "qian", "a wrong one 9")
    secret = (house / "data" / "coverage-planner" / "cookie-secret").read_text()
    log = (house / "server.log").read_text()
    cookie = qian.cookies["planner_session"].strip('"')
    for word in (secret, cookie, "a wrong one 9", *PASSWORDS.values()):
        assert word not in log
    assert (house / "data" / "coverage-planner" / "cookie-secret").stat().st_mode & 0o077 == 0
