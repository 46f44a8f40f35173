"""A web server on this machine that serves files by ranges, counts, and fails when asked to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass
class Served:
    """What the server has, what was asked of it, and how it misbehaves.

    `failing` requests are answered with `status` before the rest work; `tag` is the ETag;
    `redirects` maps paths to other URLs; with `whole` ranges are ignored.
    """

    folder: Path
    url: str = ""
    failing: int = 0
    status: int = 503
    tag: str = '"1"'
    whole: bool = False
    short: bool = False
    redirects: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    """Serve the files in `folder` for a while."""
    served = Served(folder)

    class Handler(_Handler):
        state = served

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    state: Served

    def do_GET(self) -> None:
        state, parts = self.state, urlsplit(self.path)
        state.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
        if state.failing > 0:
            state.failing -= 1
            self._answer(state.status, b"")
            return
        if parts.path in state.redirects:
            self._answer(302, b"", Location=state.redirects[parts.path])
            return
        path = state.folder / unquote(parts.path.lstrip("/"))
        if not path.is_file():
            self._answer(404, b"")
            return
        self._send(path)

    do_HEAD = do_GET  # noqa: N815 - the base class wants this name

    def _send(self, path: Path) -> None:
        size, wanted = path.stat().st_size, self.headers.get("Range")
        if wanted is None or self.state.whole:
            self._answer(200, path.read_bytes(), ETag=self.state.tag)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last) + 1, size)
        if start >= size:
            self._answer(416, b"")
            return
        with path.open("rb") as file:
            file.seek(start)
            body = file.read(end - start)
        if self.state.short:
            body = body[: len(body) // 2]
        span = f"bytes {start}-{start + len(body) - 1}/{size}"
        self._answer(206, body, ETag=self.state.tag, **{"Content-Range": span})

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
            self.state.sent += len(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""
