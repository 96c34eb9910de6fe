"""A reader who speaks to the desk's socket and sends what no page of ours would."""

import asyncio
import base64
import json
import time
from contextlib import asynccontextmanager
from uuid import uuid4

from tornado.httpclient import HTTPRequest
from tornado.websocket import websocket_connect

from tests.planner.serving.server import leave, login, token_of

PATIENCE = 60
PIECE = 384 * 1024


class Reader:
    """An open desk: the models of its page as they stand, and everything that was said."""

    def __init__(self, client):
        self._client = client
        self.models = {}
        self.heard = []

    async def begin(self):
        """Read the page, and say that it is there."""
        await self._receive()
        await self._send("PULL-DOC-REQ", {})
        header, content = await self._receive()
        assert header["msgtype"] == "PULL-DOC-REPLY"
        self._note(content["doc"])
        self._reading = asyncio.ensure_future(self._read())
        await self._happen("document_ready", {})

    async def end(self):
        """Close the socket."""
        self._reading.cancel()
        await leave(self._client)

    def named(self, attribute, value):
        """Id of the model with such an attribute, None where there is none."""
        found = [key for key, one in self.models.items() if one.get(attribute) == value]
        return found[-1] if found else None

    async def wait(self, condition):
        """Wait until something holds; gives what it is."""
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            if self._reading.done():
                self._reading.result()
            assert time.monotonic() < end, [one[:500] for one in self.heard[-5:]]
            await asyncio.sleep(0.02)
        return found

    async def says(self, words, *, since=0):
        """Wait until some words were sent after a moment."""
        await self.wait(lambda: any(words in one for one in self.heard[since:]))

    async def message(self, model, **data):
        """Send a message to a component of the page."""
        told = {"type": "map", "entries": list(data.items())}
        await self._happen("data_event", {"model": {"id": model}, "data": told})

    async def press(self, label):
        """Press a button, whether the page shows it or not."""
        model = await self.wait(lambda: self.named("label", label))
        await self._happen("button_click", {"model": {"id": model}})

    async def hand_in(self, name, content):
        """Hand a file in through the Data view, as its page does."""
        zone = await self.wait(lambda: self.named("class_name", "Dropzone"))
        await self.message(zone, begin=name, size=len(content))
        for at in range(0, len(content), PIECE):
            piece = base64.b64encode(content[at : at + PIECE]).decode()
            await self.message(zone, at=at, piece=piece)

    async def _send(self, kind, content):
        for part in ({"msgid": uuid4().hex, "msgtype": kind}, {}, content):
            await self._client.write_message(json.dumps(part))

    async def _happen(self, name, values):
        told = {"type": "event", "name": name, "values": values}
        event = {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": told}
        await self._send("PATCH-DOC", {"events": [event]})

    async def _receive(self):
        parts = [await self._client.read_message() for _ in range(3)]
        assert None not in parts, "the server closed the socket"
        header = json.loads(parts[0])
        for _ in range(2 * header.get("num_buffers", 0)):
            await self._client.read_message()
        return header, json.loads(parts[2])

    async def _read(self):
        while True:
            header, content = await self._receive()
            assert header["msgtype"] != "ERROR", content
            self._note(content)
            if "events" in content:
                self.heard.append(json.dumps(content, ensure_ascii=False))

    def _note(self, value):
        if isinstance(value, list):
            for one in value:
                self._note(one)
        elif isinstance(value, dict):
            if isinstance(value.get("attributes"), dict) and "id" in value:
                self.models.setdefault(value["id"], {}).update(value["attributes"])
            if value.get("kind") == "ModelChanged":
                self.models.setdefault(value["model"]["id"], {})[value["attr"]] = value["new"]
            for one in value.values():
                self._note(one)


@asynccontextmanager
async def reader(url, name, password, query=""):
    """Enter, and open the desk that an address tells of."""
    browser, answer = await asyncio.to_thread(login, url, name, password)
    assert answer.status_code == 303
    page = await asyncio.to_thread(browser.get, url + query, timeout=60)
    token = token_of(page.text)
    headers = {
        "Origin": url.rstrip("/"),
        "Cookie": f"planner_session={browser.cookies['planner_session']}",
        "Sec-WebSocket-Protocol": f"bokeh, {token}",
    }
    asked = HTTPRequest(url.replace("http", "ws", 1) + "ws", headers=headers)
    client = await websocket_connect(asked, subprotocols=["bokeh", token], max_message_size=2**28)
    own = Reader(client)
    await own.begin()
    try:
        yield own
    finally:
        await own.end()
