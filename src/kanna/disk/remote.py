"""Files behind URLs, read by ranges: only the bytes that somebody asks for are moved.

Small reads come in blocks that are kept for a while; large ones pass through. Every answer is held
against the first one, so a file that is replaced meanwhile is told. The library `obstore` speaks to
the servers and tries again where they fail for a moment.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from datetime import timedelta
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit
from zlib import crc32

from kanna.disk import hub
from kanna.disk.addresses import RemotePath
from kanna.disk.reading import Fingerprint, InputFile
from kanna.errors import FormatError, MissingExtra, RemoteError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_BLOCK: Final = 1 << 16
_KEPT: Final = 256  # blocks
_LARGE: Final = 1 << 20  # a read of this size is weights: it is not kept
_RETRIES: Final = 4
_CONNECT_SECONDS: Final = 10
_STALLED_SECONDS: Final = 60
_CAUSE: Final = re.compile(r'(?:message|error): "([^"]{1,200})"')
_REFUSED: Final = "Server returned non-2xx status code: "
# What opens private files: behind a "?", as servers sign their redirections too, or before an "@".
_SECRET: Final = re.compile(r"\?[^\s)\"']*|(?<=://)[^\s/@]*@")
_AWS_CREDENTIALS: Final = (
    "AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)  # fmt: skip


class RemoteFile(InputFile):
    """A file behind a URL; see `InputFile`."""

    __slots__ = ("_blocks", "_lock", "_store", "_tag")

    local = False

    def __init__(self, path: RemotePath) -> None:
        """Ask the server for the first block, which also tells the size.

        Raises:
            MissingExtra: the library that speaks to servers is not installed.
            RemoteError: the server cannot be reached, refuses, or knows no ranges.
            UsageError: the URL names no file.
        """
        self.path = path
        self.fd = -1
        self._lock = Lock()
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._store = _connect(path)
        answer, data = self._ask(0, _BLOCK)
        self.size, self._tag = int(answer["size"]), answer["e_tag"]
        self._blocks[0] = data
        # No file on this machine has such numbers.
        self.fingerprint = Fingerprint(-1, crc32(path.address.encode()), self.size, 0)

    def read_into(self, offset: int, out: memoryview) -> None:
        """Fill `out` from `offset`.

        Raises:
            FormatError: the file ends before `out` is full, or was replaced meanwhile.
            RemoteError: the server cannot be reached, or refuses.
        """
        end = offset + len(out)
        if end > self.size and len(out):
            raise FormatError("disk.ends_early", path=self.path, offset=self.size)
        if len(out) >= _LARGE:
            out[:] = self._range(offset, end)
            return
        with self._lock:
            for start, block in self._needed(offset, end):
                first, last = max(offset, start), min(end, start + len(block))
                out[first - offset : last - offset] = block[first - start : last - start]

    def unchanged(self) -> bool:
        """Whether the server still has the file that was opened."""
        if not self.size:
            return True
        answer, _ = self._ask(0, 1)
        return (answer["size"], answer["e_tag"]) == (self.size, self._tag)

    def will_stream(self) -> None:
        """Do nothing: the server need not know."""

    def close(self) -> None:
        """Let the blocks go."""
        self._blocks.clear()

    def _needed(self, offset: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Yield the blocks between two places, each with its start; fetch what is not there."""
        starts = range(offset - offset % _BLOCK, end, _BLOCK)
        missing = [start for start in starts if start not in self._blocks]
        if missing:
            # one request, even if a block in the middle comes a second time
            first, last = missing[0], min(missing[-1] + _BLOCK, self.size)
            data = self._range(first, last)
            for start in range(first, last, _BLOCK):
                self._blocks[start] = data[start - first : start - first + _BLOCK]
        for start in starts:
            self._blocks.move_to_end(start)
            yield start, self._blocks[start]
        while len(self._blocks) > _KEPT:
            self._blocks.popitem(last=False)

    def _range(self, start: int, end: int) -> bytes:
        answer, data = self._ask(start, end)
        if (answer["size"], answer["e_tag"]) != (self.size, self._tag):
            raise FormatError("engine.input_changed", path=self.path)
        if len(data) != end - start:
            raise RemoteError("remote.short", path=self.path)
        return data

    def _ask(self, start: int, end: int) -> tuple[dict[str, Any], bytes]:
        """Return what the server says of the file, and the bytes of a range of it."""
        client = _client()
        store, key = self._store
        try:
            result = client.get(store, key, options={"range": (start, end)})
            return dict(result.meta), bytes(result.bytes())
        except (client.exceptions.BaseError, OSError) as error:
            # an empty file has no first byte: servers answer that the range cannot be had
            if start == 0 and (size := _empty(client, store, key)) is not None:
                return size, b""
            raise _told(error, RemotePath(self.path)) from error


def _empty(client: ModuleType, store: ObjectStore, key: str) -> dict[str, Any] | None:
    try:
        answer = dict(client.head(store, key))
    except (client.exceptions.BaseError, OSError):
        return None
    return answer if answer["size"] == 0 else None


def _connect(path: RemotePath) -> tuple[ObjectStore, str]:
    """Return the store that has the file, and its key there.

    Raises:
        MissingExtra: the library that speaks to servers is not installed.
        RemoteError: the URL names no file, or is none.
        UsageError: it is an ``hf://`` path that names no file.
    """
    url = hub.resolved(path.address)
    try:
        url.encode()
        parts = urlsplit(url)
        if parts.netloc and parts.path.strip("/"):
            return _bucket(parts) if parts.scheme == "s3" else _server(parts)
    except ValueError as error:  # hosts, ports and letters that no URL has
        raise RemoteError("remote.no_file", path=path) from error
    raise RemoteError("remote.no_file", path=path)


def _bucket(parts: SplitResult) -> tuple[ObjectStore, str]:
    plain = os.environ.get("AWS_ENDPOINT_URL", "").startswith("http:")
    store = _client().store.S3Store(
        parts.netloc, client_options=_options(plain=plain), retry_config=_retrying(),
        skip_signature=not any(os.environ.get(name) for name in _AWS_CREDENTIALS),
    )  # fmt: skip
    return store, unquote(parts.path.lstrip("/"))


def _server(parts: SplitResult) -> tuple[ObjectStore, str]:
    options = _options(plain=parts.scheme == "http")
    # no compression on the way: ranges count the bytes of the file
    headers = {"Accept-Encoding": "identity", **hub.authorization(parts.geturl())}
    options["default_headers"] = headers
    place = urlunsplit(parts._replace(path=quote(unquote(parts.path)), fragment=""))
    store = _client().store.HTTPStore(place, client_options=options, retry_config=_retrying())
    return store, ""


def _options(*, plain: bool) -> dict[str, Any]:
    """Return how servers are spoken to; `plain` without encryption."""
    return {
        "connect_timeout": timedelta(seconds=_CONNECT_SECONDS),
        "read_timeout": timedelta(seconds=_STALLED_SECONDS),
        "timeout": timedelta(minutes=10),
        "user_agent": "kanna",
        "allow_http": plain,
    }


def _retrying() -> dict[str, Any]:
    return {"max_retries": _retries(), "retry_timeout": timedelta(minutes=2)}


def _retries() -> int:
    wanted = os.environ.get("KANNA_RETRIES", "")
    return int(wanted) if wanted.isdecimal() else _RETRIES


def _client() -> ModuleType:
    """Return the library that speaks to servers.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import obstore
    except ImportError as error:
        raise MissingExtra("remote.missing_extra") from error
    return obstore


def _told(error: Exception, path: RemotePath) -> RemoteError:
    """Return what a failure of the library means."""
    reason = _SECRET.sub("", _reason(str(error)))
    kinds = {
        "FileNotFoundError": "remote.not_found",
        "NotFoundError": "remote.not_found",
        "PermissionDeniedError": "remote.denied",
        "UnauthenticatedError": "remote.denied",
        "NotSupportedError": "remote.no_ranges",
    }
    return RemoteError(kinds.get(type(error).__name__, "remote.failed"), path=path, reason=reason)


def _reason(text: str) -> str:
    """Return the cause from a text of the library, which begins with the request and its retries.

    The system's own words (``Connection refused``) are only in what it prints for debugging.
    """
    first, _, debug = text.partition("\n")
    if causes := _CAUSE.findall(debug):
        return str(causes[-1])
    return first.rpartition(" - ")[2].removeprefix(_REFUSED).strip(" :")
