"""A new header for a safetensors file, planned: does it fit, does it read back as it should.

Nothing is written here; `kanna.engine.rewriting` does that.
Source: safetensors `tensor.rs`: spaces may end a header; offsets count from the end of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kanna.disk import InputFile
from kanna.errors import Incompatible, KannaError
from kanna.formats.layout import check_text
from kanna.formats.safetensors import HEADER_LIMIT, open_safetensors
from kanna.formats.safetensors_layout import render
from kanna.model import ModelFile

_LENGTH: Final = 8  # bytes before the header that say how long it is
_PAGE: Final = 4096
_MOST_ROOM: Final = 1 << 16
_ROOM_SHARE: Final = 1024  # room for edits is that part of the data, from a page up


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriting:
    """A new header for a file, ready to be written: whether it fits, and what is left beside it.

    `head` is everything before the tensor data, `old_head` what stands there now. `room` is how
    many bytes the metadata can grow until the data has to be moved.
    """

    model: ModelFile
    old_head: bytes
    head: bytes
    room: int

    @property
    def file(self) -> InputFile:
        """The open file."""
        return self.model.files[0]

    @property
    def fits(self) -> bool:
        """Whether the new header has the place of the old one."""
        return len(self.head) == len(self.old_head)

    @property
    def data_bytes(self) -> int:
        """The bytes of all tensor data."""
        return self.file.size - len(self.old_head)

    @property
    def size(self) -> int:
        """The bytes that the file will have."""
        return len(self.head) + self.data_bytes


def head_of(file: InputFile) -> bytes:
    """Return everything before the tensor data of a safetensors file."""
    length = int.from_bytes(file.read(0, _LENGTH), "little")
    return file.read(0, _LENGTH + length)


def room_in(head: bytes) -> int:
    """Return how many bytes a header can grow where it is."""
    return len(head) - len(head.rstrip(b" "))


def plan_rewriting(
    model: ModelFile, metadata: Mapping[str, str], *, anew: bool = False
) -> Rewriting:
    """Return the header that `model`, an open safetensors file, gets with `metadata`.

    `anew` asks for room at its end even where it would fit as it is.

    Raises:
        Incompatible: the header would be larger than readers accept, or a text is not Unicode.
        KannaError: the header would not read back as what was asked for.
    """
    file = model.files[0]
    old = head_of(file)
    for text in (*metadata, *metadata.values()):
        check_text(text)
    raw = render(metadata, _entries(model, len(old))).rstrip(b" ")
    size = len(old) if not anew and _LENGTH + len(raw) <= len(old) else _roomy(len(raw), file, old)
    if size - _LENGTH > HEADER_LIMIT:
        raise Incompatible("layout.header_too_large", size=len(raw), limit=HEADER_LIMIT)
    head = (size - _LENGTH).to_bytes(_LENGTH, "little") + raw.ljust(size - _LENGTH)
    planned = Rewriting(model=model, old_head=old, head=head, room=room_in(head))
    check_made(planned, open_safetensors(_Planned(planned)), metadata)
    return planned


def _entries(model: ModelFile, start: int) -> dict[str, object]:
    """Return the tensors of the header, as they are there."""
    entries: dict[str, object] = {}
    for name, tensor in model.items():
        extent = tensor.data.extent()
        assert extent is not None
        begin = extent.offset - start
        entries[name] = {"dtype": tensor.dtype.safetensors, "shape": tensor.shape,
                         "data_offsets": [begin, begin + extent.nbytes]}  # fmt: skip
    return entries


def _roomy(length: int, file: InputFile, old: bytes) -> int:
    """Return the size of all before the data: a multiple of a page, with room for edits."""
    room = min(max((file.size - len(old)) // _ROOM_SHARE, _PAGE), _MOST_ROOM)
    size = -(-(_LENGTH + length + room) // _PAGE) * _PAGE
    tight = -(-(_LENGTH + length) // _LENGTH) * _LENGTH
    return size if size - _LENGTH <= HEADER_LIMIT else tight


class _Planned(InputFile):
    """The file as it will be, for a reader of headers: nothing is written yet."""

    __slots__ = ("_head",)

    def __init__(self, planned: Rewriting) -> None:
        """Stand for the file of `planned`, with the new header."""
        self.path = planned.model.path
        self.fd = planned.file.fd
        self.fingerprint = planned.file.fingerprint
        self.size = planned.size
        self._head = planned.head

    def read_into(self, offset: int, out: memoryview) -> None:
        """Fill `out` from the header."""
        out[:] = self._head[offset : offset + len(out)]


def check_made(planned: Rewriting, made: ModelFile, metadata: Mapping[str, str]) -> None:
    """Compare what was made with what was asked for: same tensors, same data, that metadata."""
    shift = len(planned.head) - len(planned.old_head)
    same = [*made] == [*planned.model] and all(
        (new.dtype, new.shape) == (old.dtype, old.shape) and _place(new.data.extent()) == (
            _place(old.data.extent(), shift)
        )
        for new, old in zip(made.values(), planned.model.values(), strict=True)
    )  # fmt: skip
    if not same or made.metadata != metadata or made.size != planned.size:
        raise KannaError("engine.not_as_planned", path=planned.model.path)


def _place(extent: object, shift: int = 0) -> tuple[int, int]:
    offset, nbytes = getattr(extent, "offset", 0), getattr(extent, "nbytes", 0)
    return offset + shift, nbytes
