"""A file that comes in pieces, from a browser that is not to be trusted."""

import asyncio
import base64

import pytest

from layers.sources.uploads import Limits
from planner.desk.dropzone import Dropzone


class Told:
    def __init__(self, limits):
        self.taken, self.refused, self.sent = [], [], []
        self.zone = Dropzone(
            lambda name, content: self.taken.append((name, content)),
            self.refused.append,
            limits=limits,
        )
        self.zone._send_msg = self.sent.append

    def say(self, **data):
        asyncio.run(self.zone._take(data))


@pytest.fixture
def told():
    return Told(Limits(size=10))


def piece(content):
    return base64.b64encode(content).decode()


def test_pieces_are_asked_for_and_joined(told):
    told.say(begin="../a.CSV", size=5)
    told.say(at=0, piece=piece(b"abc"))
    told.say(at=3, piece=piece(b"de"))
    assert told.sent == [{"next": 0}, {"next": 3}, {"whole": True}]
    assert told.taken == [("a.csv", b"abcde")]
    # Nothing is left of it.
    told.say(at=5, piece=piece(b"f"))
    assert len(told.taken) == 1


def test_what_is_too_large_is_refused_whatever_it_claims(told):
    told.say(begin="a.csv", size=11)
    assert len(told.refused) == 1
    told.say(begin="a.csv", size=4)
    told.say(at=0, piece=piece(b"abcdefgh"))
    assert told.taken == []
    assert told.sent[-1] == {"stop": True}


@pytest.mark.parametrize(
    "data",
    [
        {"begin": "a.csv", "size": "many"},
        {"begin": "a.csv"},
        {"at": 0, "piece": "!!"},
        {"at": 7, "piece": piece(b"a")},
        {"at": None},
        {},
    ],
)
def test_what_does_not_fit_is_dropped(told, data):
    told.say(begin="a.csv", size=3)
    told.say(**data)
    assert told.taken == []


def test_an_empty_file_comes_too(told):
    told.say(begin="a.csv", size=0)
    assert told.taken == [("a.csv", b"")]
