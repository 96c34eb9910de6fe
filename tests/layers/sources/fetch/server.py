"""A server on loopback that answers as told, well or badly, and a piece of the world to give."""

import re
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.layers.sources.osmxml import xml

DATE = "2026-07-04T12:00:00Z"
META = f'<note>from a server of tests</note><meta osm_base="{DATE}"/>'


@dataclass
class Answer:
    """One answer.

    `after` bytes of the content the line is cut; `length` is told in place of the true one.
    """

    content: bytes = b""
    status: int = 200
    kind: str = "application/octet-stream"
    headers: dict[str, str] = field(default_factory=dict)
    after: int | None = None
    length: int | None = None
    slowly: float = 0.0


class _Quiet(ThreadingHTTPServer):
    """Says nothing of clients that were killed."""

    def handle_error(self, request, client_address):
        pass


class Server:
    """Answers every path as its plan says, the last answer again and again.

    A plan is a list of answers, or of functions that make one of the request.
    """

    def __init__(self):
        self.plans, self.requests = {}, []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                owner.answer(self)

            def log_message(self, *_):
                pass

        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def plan(self, path, *answers):
        """Say how to answer a path; gives its address."""
        self.plans[path] = list(answers)
        return self.address + path

    def paths(self):
        return [urlsplit(path).path for path, _ in self.requests]

    def answer(self, handler):
        path = urlsplit(handler.path).path
        with self._lock:
            self.requests.append((handler.path, dict(handler.headers)))
            plan = self.plans.get(path) or [Answer(b"nothing here", status=404)]
            told = plan.pop(0) if len(plan) > 1 else plan[0]
        made = told(handler) if callable(told) else told
        handler.send_response(made.status)
        handler.send_header("Content-Type", made.kind)
        for name, value in made.headers.items():
            handler.send_header(name, value)
        length = len(made.content) if made.length is None else made.length
        if length >= 0:
            handler.send_header("Content-Length", str(length))
        else:
            handler.send_header("Connection", "close")
        handler.close_connection = made.after is not None or made.length is not None
        with suppress(OSError):
            handler.end_headers()
            if made.slowly:
                threading.Event().wait(made.slowly)
            handler.wfile.write(made.content[: made.after])


def a_file(content, *, tag='"one"', ranges=True, after=None):
    """Serve a file as a good server does, resumed where it is asked to; maybe cut."""

    def answer(handler):
        headers = {"Last-Modified": formatdate(1_700_000_000, usegmt=True)}
        if tag:
            headers["ETag"] = tag
        if tag and handler.headers.get("If-None-Match") == tag:
            return Answer(status=304, headers=headers)
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if ranges and asked and handler.headers.get("If-Range") == tag:
            begin = int(asked[1])
            if begin >= len(content):
                return Answer(status=416)
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            return Answer(content[begin:], status=206, headers=headers, after=after)
        return Answer(content, headers=headers, after=after)

    return answer


BUSY = Answer(status=429, headers={"Retry-After": "0"})
GATEWAY = Answer(b"<html>gateway timeout</html>", status=504, kind="text/html")
PAGE = Answer(
    b"<html><head><title>Log in</title></head><body>please</body></html>", kind="text/html"
)


class World:
    """Streets, homes, a facility and two districts, to be had tile by tile."""

    def __init__(self, columns=12, rows=8, step=0.02, west=120.0, south=30.0):
        self.nodes, self.ways, self.tags = {}, [], {}
        number = iter(range(1, 10**6))

        def node(x, y):
            ref = next(number)
            self.nodes[ref] = (round(x, 6), round(y, 6))
            return ref

        grid = [
            [node(west + column * step, south + row * step) for row in range(rows)]
            for column in range(columns)
        ]
        for column in range(columns):
            name = {"highway": "residential", "name": f"{column}纵路"}
            self.ways.append((grid[column], name))
        for row in range(rows):
            refs = [grid[column][row] for column in range(columns)]
            self.ways.append((refs, {"highway": "tertiary", "name": f"{row}横路"}))
        for column in range(columns - 1):
            for row in range(rows - 1):
                x, y = west + (column + 0.4) * step, south + (row + 0.4) * step
                ring = [node(x, y), node(x + 3e-4, y), node(x + 3e-4, y + 3e-4), node(x, y + 3e-4)]
                self.ways.append(([*ring, ring[0]], {"building": "apartments"}))
        clinic = node(west + 0.031, south + 0.001)
        self.tags[clinic] = {"amenity": "nursing_home", "name": "一号"}
        self.box = (west, south, west + (columns - 1) * step, south + (rows - 1) * step)
        pad = 0.001
        left, low, right, high = (
            self.box[0] - pad,
            self.box[1] - pad,
            self.box[2] + pad,
            self.box[3] + pad,
        )
        middle = (left + right) / 2
        corners = [
            (left, low),
            (middle, low),
            (right, low),
            (right, high),
            (middle, high),
            (left, high),
        ]
        a, b, c, d, e, f = (node(*corner) for corner in corners)
        first = len(self.ways) + 1
        self.ways += [([e, f, a, b], {}), ([b, e], {}), ([b, c, d, e], {})]
        usual = {"type": "boundary", "boundary": "administrative", "admin_level": "6"}
        self.relations = [
            (
                [(first, "outer"), (first + 1, "outer")],
                {**usual, "name": "西湖区", "ref": "330106"},
            ),
            (
                [(first + 1, "outer"), (first + 2, "outer")],
                {**usual, "name": "滨江区", "ref": "330108"},
            ),
        ]

    @property
    def area(self):
        return ",".join(map(str, self.box))

    def whole(self):
        """All of it as a file."""
        return self._text(set(self.nodes), range(1, len(self.ways) + 1), self.relations)

    def __call__(self, handler):
        """Answer as an Overpass server does."""
        (query,) = parse_qs(urlsplit(handler.path).query)["data"]
        south, west, north, east = map(float, re.search(r"bbox:([^\]]+)", query)[1].split(","))

        def inside(refs):
            places = [self.nodes[ref] for ref in refs]
            xs, ys = zip(*places, strict=True)
            return min(xs) <= east and max(xs) >= west and min(ys) <= north and max(ys) >= south

        refs = {ref for ref in self.tags if inside([ref])}
        ways = {n for n, (nodes, tags) in enumerate(self.ways, 1) if tags and inside(nodes)}
        relations = [
            (members, tags)
            for members, tags in self.relations
            if any(inside(self.ways[way - 1][0]) for way, _ in members)
        ]
        ways |= {way for members, _ in relations for way, _ in members}
        refs |= {ref for way in ways for ref in self.ways[way - 1][0]}
        return Answer(self._text(refs, sorted(ways), relations), kind="application/osm3s+xml")

    def _text(self, refs, ways, relations):
        chosen = [
            (self.ways[way - 1][0], {**self.ways[way - 1][1], "id": str(way)}) for way in ways
        ]
        numbered = [
            (members, {**tags, "id": str(self.relations.index((members, tags)) + 1)})
            for members, tags in relations
        ]
        nodes = {ref: self.nodes[ref] for ref in sorted(refs)}
        return xml(chosen, nodes=nodes, tags=self.tags, relations=numbered, meta=META).encode()
