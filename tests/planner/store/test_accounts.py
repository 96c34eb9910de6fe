"""Accounts on a real SQLite and a real PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from layers.errors import InputError, LoginLockedError, LoginRefusedError, UnknownNameError
from planner.store import Store, accounts
from planner.store.tables import USERS

SECRET = "a lengthy secret"  # noqa: S105 - of nobody


def outcome(store, name, password):
    try:
        return store.accounts.check(name, password).name
    except (LoginRefusedError, LoginLockedError) as wrong:
        return type(wrong).__name__


def test_who_knows_the_password_comes_in(store):
    made = store.accounts.add("王芳", "planner", SECRET)
    assert store.accounts.check(" 王芳 ", SECRET) == made
    assert outcome(store, "王芳", "another secret") == "LoginRefusedError"
    assert outcome(store, "李", SECRET) == "LoginRefusedError"
    assert outcome(store, "王芳", "") == "LoginRefusedError"
    assert outcome(store, "王芳", "x" * 10_000_000) == "LoginRefusedError"


def test_a_password_is_kept_as_a_hash_with_a_salt_of_its_own(store, place):
    store.accounts.add("a", "viewer", SECRET)
    store.accounts.add("b", "viewer", SECRET)
    with store._database.transaction() as connection:
        held = connection.execute(sa.select(USERS.c.password)).scalars().all()
    assert len(set(held)) == 2
    assert all(one.startswith("scrypt$") and SECRET not in one for one in held)
    assert SECRET not in str([one.as_dict() for one in store.accounts.every()])


def test_the_name_is_locked_for_a_while_whoever_asks_from_where(store, place, monkeypatch):
    store.accounts.add("a", "viewer", SECRET)
    with Store(place) as other, ThreadPoolExecutor(4) as crowd:
        sides = [store, other] * 10
        told = list(crowd.map(lambda side: outcome(side, "a", "wrong one 12"), sides))
    assert told.count("LoginRefusedError") == accounts.ATTEMPTS
    assert told.count("LoginLockedError") == 20 - accounts.ATTEMPTS
    assert outcome(store, "a", SECRET) == "LoginLockedError"
    assert store.accounts.get("a").locked_until is not None
    with store._database.transaction() as connection:
        until = store.accounts.get("a").locked_until - accounts.LOCKED - timedelta(seconds=1)
        connection.execute(sa.update(USERS).values(locked_until=until))
    assert outcome(store, "a", "wrong one 12") == "LoginRefusedError"
    assert outcome(store, "a", SECRET) == "a"
    assert store.accounts.failures("a") == 0


def test_a_name_that_nobody_has_fares_like_any_other(store):
    told = [outcome(store, "nobody", "x") for _ in range(accounts.ATTEMPTS + 2)]
    assert told == ["LoginRefusedError"] * accounts.ATTEMPTS + ["LoginLockedError"] * 2


def test_another_password_is_another_stamp(store):
    before = store.accounts.add("a", "viewer", SECRET)
    after = store.accounts.set_password("a", "a second secret")
    assert after.stamp != before.stamp
    assert outcome(store, "a", SECRET) == "LoginRefusedError"
    assert outcome(store, "a", "a second secret") == "a"
    assert store.accounts.set_role("a", "administrator").role == "administrator"
    store.accounts.remove("a")
    assert store.accounts.find("a") is None


def test_without_a_password_nobody_comes_in_by_one(store):
    assert not store.accounts.add("a", "viewer").has_password
    assert outcome(store, "a", "") == "LoginRefusedError"


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaaa", "wangfang2024", "x" * 300])
def test_a_weak_password_is_refused(store, weak):
    with pytest.raises(InputError, match="密码太容易"):
        store.accounts.add("wangfang", "viewer", weak)
    assert store.accounts.every() == []


@pytest.mark.parametrize("name", ["", "  ", "a b", "a\nb", "\u200b", "x" * 65])
def test_what_is_no_name_is_refused(store, name):
    with pytest.raises(InputError):
        store.accounts.add(name, "viewer", SECRET)


def test_one_name_is_one_account(store):
    store.accounts.add("a", "viewer", SECRET)
    with pytest.raises(InputError, match="已有"):
        store.accounts.add("ａ", "administrator", "a second secret")  # full width
    with pytest.raises(UnknownNameError):
        store.accounts.add("b", "emperor", SECRET)
    for act in (store.accounts.remove, store.accounts.get, store.accounts.unlock):
        with pytest.raises(UnknownNameError):
            act("b")
