import threading

import pytest

from planner.memo import Memo

PATIENCE = 20


def in_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    return thread, found


def test_a_value_is_made_once_though_many_ask():
    memo, begun, go, made = Memo(), threading.Event(), threading.Event(), []

    def slow():
        begun.set()
        assert go.wait(PATIENCE)
        made.append(1)
        return object()

    first, one = in_thread(lambda: memo.get("a", slow))
    assert begun.wait(PATIENCE)
    second, two = in_thread(lambda: memo.get("a", slow))
    go.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert made == [1]
    assert one[0] is two[0]


def test_a_slow_value_holds_up_nobody_who_wants_another():
    memo, begun, go = Memo(), threading.Event(), threading.Event()

    def slow():
        begun.set()
        assert go.wait(PATIENCE)
        return 1

    thread, found = in_thread(lambda: memo.get("slow", slow))
    assert begun.wait(PATIENCE)
    assert memo.get("quick", lambda: 2) == 2
    assert memo.peek("slow") is None
    go.set()
    thread.join(PATIENCE)
    assert found == [1]
    assert memo.values() == [2, 1]


def test_what_fails_is_raised_and_tried_again():
    memo = Memo()
    with pytest.raises(ZeroDivisionError):
        memo.get("a", lambda: 1 / 0)
    assert memo.get("a", lambda: 1) == 1


def test_what_was_used_longest_ago_goes_first():
    memo = Memo(most=2)
    for key in "abac":
        memo.get(key, lambda key=key: key)
    assert memo.values() == ["a", "c"]
