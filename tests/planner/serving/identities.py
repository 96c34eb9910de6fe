"""A provider of identities in a process of its own, and the ways of a browser through it."""

import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import requests

from tests.planner.serving.server import ROOT, environment

KEY, SECRET = "planner", "the application's own secret ÷ 1"
BACK = "login/back"


class Provider:
    """A running provider."""

    def __init__(self, port, process):
        self.host = f"http://127.0.0.1:{port}"
        self.issuer = f"{self.host}/realms/office"
        self.process = process

    def be(self, **false):
        """Be false in some ways, true in all others; gives all that is secret so far."""
        return requests.put(f"{self.host}/control", json=false, timeout=30).json()


@contextmanager
def provider(folder, *back):
    """A provider that sends people back to some addresses."""
    command = [sys.executable, "-m", "tests.planner.serving.openid_provider", *back]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(folder), cwd=ROOT
    ) as process:
        try:
            yield Provider(int(process.stdout.readline()), process)
        finally:
            process.terminate()


def options(url, issuer):
    """What `planner serve` is to be told of it."""
    return [
        *("--oauth-issuer", issuer, "--oauth-key", KEY),
        *("--oauth-redirect", url + BACK, "--behind-proxy"),
    ]


def begin(url, browser=None, **asked):
    """Begin an attempt; the browser, and where it is sent."""
    browser = browser or requests.Session()
    answer = browser.get(f"{url}login", params=asked, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    return browser, answer.headers["Location"]


def agree(there, name):
    """Write a name into the provider's form; where that leads back to."""
    assert requests.get(there, timeout=30).ok
    answer = requests.post(there, data={"user": name}, allow_redirects=False, timeout=30)
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def back(browser, address, **more):
    """Come back; the desk's answer, not followed."""
    return browser.get(address, allow_redirects=False, timeout=30, **more)


def enter(url, name, **asked):
    """Go the whole way; the browser, and the desk's answer."""
    browser, there = begin(url, **asked)
    return browser, back(browser, agree(there, name))


def asked_of(address):
    """What an address asks."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
