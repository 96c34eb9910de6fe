"""What refuses to serve, what a role may do, and who keeps which account."""

import subprocess
import sys

import pytest

from layers.errors import InputError, RoleError
from planner.desk.session import Session
from planner.desk.shelf import Shelf
from planner.desk.study import Study
from planner.scenario import Scenario
from planner.serving import LOCAL, Entry, Identity
from planner.serving.entry import refuse_open_door
from planner.serving.headers import origins, policy
from planner.serving.secret import cookie_secret
from planner.store import Store
from tests.planner.maps.hamlet import hamlet
from tests.planner.serving.server import environment

SECRET = "a lengthy secret"  # noqa: S105 - of nobody


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "store.sqlite") as opened:
        yield opened


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.9", "::", "", "planner.example"])  # noqa: S104
def test_nothing_is_served_to_others_without_an_entry(address):
    with pytest.raises(InputError, match="planner user add"):
        refuse_open_door(address, None)


def test_a_proxy_makes_loopback_public():
    refuse_open_door("localhost", None)
    refuse_open_door("127.0.0.1", None)
    with pytest.raises(InputError, match="--login"):
        refuse_open_door("localhost", None, proxied=True)


def test_an_entry_wants_an_administrator(store):
    with pytest.raises(InputError, match="管理员"):
        Entry(accounts=store.accounts, secret=SECRET)
    store.accounts.add("zhao", "administrator", SECRET)
    assert SECRET not in repr(Entry(accounts=store.accounts, secret=SECRET))


def run(folder, *words, given=""):
    return subprocess.run(
        [sys.executable, "-m", "planner.cli", *words],
        input=given,
        text=True,
        capture_output=True,
        env=environment(folder),
        check=False,
    )


def test_the_command_refuses_and_keeps_accounts(tmp_path, village):
    serve = ["serve", "--city", str(village), "--port", "1"]
    for more in (["--address", "0.0.0.0"], ["--prefix", "/planner"], ["--behind-proxy"]):  # noqa: S104
        told = run(tmp_path, *serve, *more)
        assert told.returncode == 1
        assert "planner user add" in told.stderr
    assert "planner user add" in run(tmp_path, *serve, "--login").stderr
    weak = run(tmp_path, "user", "add", "zhao", "--role", "administrator", given="short\n")
    assert weak.returncode == 1
    assert "short" not in weak.stderr
    made = run(tmp_path, "user", "add", "zhao", "--role", "administrator", given=SECRET + "\n")
    assert made.returncode == 0, made.stderr
    assert "管理员" in made.stdout
    assert run(tmp_path, "user", "role", "zhao", "viewer").returncode == 0
    listed = run(tmp_path, "user", "list", "--json").stdout
    assert '"viewer"' in listed
    assert "scrypt" not in listed
    assert run(tmp_path, "user", "remove", "li").returncode == 2
    assert run(tmp_path, "user", "remove", "zhao").returncode == 0
    assert "还没有用户" in run(tmp_path, "user", "list").stdout


def test_a_role_counts_as_it_is_now(store):
    store.accounts.add("sun", "planner", SECRET)
    sun = Identity(name="sun", accounts=store.accounts)
    sun.require("planner")
    with pytest.raises(RoleError, match="管理员"):
        sun.require("administrator")
    store.accounts.set_role("sun", "viewer")
    with pytest.raises(RoleError, match="规划员"):
        sun.require("planner")
    store.accounts.remove("sun")
    with pytest.raises(RoleError, match="移除"):
        sun.require("viewer")
    assert Identity(name="wu", accounts=store.accounts, otherwise="viewer").may("viewer")
    LOCAL.require("administrator")


def test_a_viewer_keeps_no_scenario_whatever_the_browser_sends(store):
    """The buttons' own doing, called as a patched page calls it."""
    import asyncio  # noqa: PLC0415 - this test alone

    store.accounts.add("sun", "viewer", SECRET)
    study = Study(hamlet(), store=store)
    told = {}
    for name, role in (("sun", "viewer"), ("qian", "planner")):
        if name == "qian":
            store.accounts.add(name, role, SECRET)
        session = Session(study, Identity(name=name, accounts=store.accounts))

        async def opened(*_record):
            pass

        shelf = Shelf(
            session,
            scenario=Scenario,
            unsaved=lambda: True,
            kept=lambda _record, _scenario: None,
            opened=opened,
        )
        shelf.name.value, shelf.author.value = "方案", "somebody else"
        asyncio.run(shelf.save())
        told[name] = session.told
    assert "sun" in told["sun"][0]
    assert told["sun"][1] == "grave"
    assert [(one.name, one.author) for one in store.records()] == [("方案", "qian")]


def test_origins_are_named_one_by_one():
    named = origins("10.0.0.5", 5006, ["https://planner.example", "planner.example:8443"], ["me"])
    assert named == ["10.0.0.5:5006", "me:5006", "planner.example", "planner.example:8443"]
    for star in ("*", "*.example", "http://*:5006"):
        with pytest.raises(InputError, match="allow-origin"):
            origins("localhost", 5006, [star], [])


def test_images_alone_may_come_from_elsewhere():
    told = policy(["https://t{s}.tianditu.gov.cn/x?tk=secret", "javascript:alert(1)"])
    assert "img-src 'self' data: blob: https://*.tianditu.gov.cn;" in told
    assert "secret" not in told
    assert "javascript" not in told


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path, monkeypatch):
    file = tmp_path / "deep" / "secret"
    made = cookie_secret(file)
    assert len(made) > 40
    assert cookie_secret(file) == made
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("PLANNER_COOKIE_SECRET", "short")
    with pytest.raises(InputError, match="太短") as refused:
        cookie_secret(file)
    assert "short" not in str(refused.value).replace("PLANNER_COOKIE_SECRET", "")
