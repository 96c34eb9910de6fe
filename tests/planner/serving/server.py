"""A real server of the desk in a process of its own, and those who knock at it."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import requests
from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

ROOT = Path(__file__).parents[3]
START = 240


def free_port(count=1):
    """First of some ports in a row that nobody listens at."""
    while True:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
        with suppress(OSError):
            for further in range(1, count):
                with socket.socket() as next_one:
                    next_one.bind(("127.0.0.1", port + further))
            return port


def environment(folder):
    """Surroundings of a program whose user's folder is this one."""
    return {
        **os.environ,
        "PLANNER_LANG": "zh",
        "PLANNER_STORE": str(folder / "store.sqlite"),
        "XDG_DATA_HOME": str(folder / "data"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }


@contextmanager
def desk(folder, city, *options, prefix="", ports=1, port=None, **more):
    """`planner serve` of a city; hands out its address, which ends with a stroke.

    What is named besides is told to it by its surroundings.
    """
    port = port or free_port(ports)
    log = folder / "server.log"
    command = [sys.executable, "-m", "planner.cli", "serve", "--city", str(city)]
    with log.open("ab") as out:
        server = subprocess.Popen(
            [*command, "--port", str(port), *options],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**environment(folder), **more},
        )
    try:
        for number in range(ports):
            url = f"http://127.0.0.1:{port + number}{prefix}/"
            end = time.monotonic() + START
            while not well(url):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < end, log.read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}{prefix}/"
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def well(url):
    """Whether a server answers that it is well."""
    with suppress(requests.ConnectionError):
        return requests.get(f"{url}health", timeout=10).json()["status"] == "ok"
    return False


def login(url, name, password, *, browser=None, **more):
    """Fill in the login's form as a browser does; the answer, not followed."""
    browser = browser or requests.Session()
    page = browser.get(f"{url}login", timeout=30)
    token = re.search(r'name="_xsrf" value="([^"]+)"', page.text)[1]
    words = {"username": name, "password": password, "_xsrf": token}
    answer = browser.post(f"{url}login", data=words, allow_redirects=False, timeout=30, **more)
    return browser, answer


def token_of(page):
    """Token of a page of the desk, which opens its socket."""
    return re.search(r'"token":"([^"]+)"', page)[1]


def connect(url, token, *, origin=None, cookies=None, first=None):
    """Open the desk's socket; gives its first answer, or the status that refuses it."""

    async def run():
        headers = {"Sec-WebSocket-Protocol": f"bokeh, {token}"}
        if origin is not None:
            headers["Origin"] = origin
        if cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        asked = HTTPRequest(url.replace("http", "ws", 1) + "ws", headers=headers)
        try:
            client = await websocket_connect(asked, subprotocols=["bokeh", token])
        except Exception as refused:  # noqa: BLE001 - the status is what is looked at
            return getattr(refused, "code", type(refused).__name__)
        if first is not None:
            await client.write_message(first, binary=isinstance(first, bytes))
        told = await client.read_message()
        await leave(client)
        return told and json.loads(told)

    return asyncio.run(run())


async def leave(client):
    """Close a socket, and wait until the other side has closed it too."""
    stream = client.protocol.stream
    client.close()
    while not stream.closed():
        # What still comes is read: a full queue would hold up the end.
        with suppress(TimeoutError):
            await asyncio.wait_for(client.read_message(), 0.05)
