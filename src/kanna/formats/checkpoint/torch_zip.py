"""The zip format that torch writes since 1.6: one pickle and one member per storage.

Source: torch.serialization ``_save`` and caffe2/serialize/inline_container.cc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from kanna.errors import FormatError
from kanna.formats.checkpoint.pickle_machine import MAX_STREAM
from kanna.formats.checkpoint.pickle_vm import Pickle, read_pickle
from kanna.formats.checkpoint.torch_storages import parse_storage_id
from kanna.formats.checkpoint.torch_tensors import Storage, TorchTensors
from kanna.formats.checkpoint.zip_archive import Archive
from kanna.model import Note

if TYPE_CHECKING:
    from kanna.disk import InputFile

MARKERS: Final = frozenset({
    "data.pkl", "version", ".data/version", "byteorder", ".format_version", ".storage_alignment",
    ".data/serialization_id",
})  # fmt: skip


def open_zip(file: InputFile) -> tuple[Pickle, TorchTensors, list[Note]]:
    """Read directory and pickle of a torch zip; no storage is touched.

    Raises:
        FormatError: the archive or the pickle is broken, or it is TorchScript or no checkpoint.
    """
    archive = Archive(file)
    _check_kind(file, archive)
    member = archive.members["data.pkl"]
    if member.nbytes > MAX_STREAM:
        raise FormatError("checkpoint.pickle_budget", path=file.path)
    data = member.read()
    pickle = read_pickle(data, path=file.path)
    notes = [*_notes(archive), *_notes_on_pickle(data, member.crc, pickle.end)]
    tensors = TorchTensors(file.path, _Storages(archive).find, swapped=_is_swapped(file, archive))
    return pickle, tensors, notes


def _check_kind(file: InputFile, archive: Archive) -> None:
    if "constants.pkl" in archive.members or any(n.startswith("code/") for n in archive.members):
        raise FormatError("checkpoint.torchscript", path=file.path)
    if "data.pkl" not in archive.members:
        shown = next(iter(archive.members), "")
        raise FormatError("checkpoint.zip_other", path=file.path, member=shown)


def _notes(archive: Archive) -> list[Note]:
    notes = []
    if archive.trailing:
        notes.append(Note("checkpoint.trailing_bytes", {"count": archive.trailing}))
    extra = [
        name
        for name in archive.members
        if name not in MARKERS and not (name.startswith("data/") and name[5:].isdecimal())
    ]
    if extra:
        notes.append(Note("checkpoint.extra_members", {"count": len(extra), "member": extra[0]}))
    return notes


def _notes_on_pickle(data: bytes, crc: int, end: int) -> list[Note]:
    notes = []
    if crc32(data) != crc:  # torch can be told not to compute it, and never checks it
        notes.append(Note("checkpoint.crc_differs"))
    if end != len(data):
        notes.append(Note("checkpoint.after_stop", {"count": len(data) - end}))
    return notes


def _is_swapped(file: InputFile, archive: Archive) -> bool:
    member = archive.members.get("byteorder")
    word = b"little" if member is None else member.read() if member.nbytes < 16 else b""
    if word not in (b"little", b"big"):
        raise FormatError("checkpoint.byteorder", path=file.path)
    return word == b"big"


class _Storages:
    """Finds storages by the key of their member ``data/<key>``."""

    __slots__ = ("_archive", "_types")

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._types: dict[str, str] = {}

    def find(self, value: object) -> Storage:
        """Return the storage that a persistent id names.

        Raises:
            ValueError: there is no such member, or its length or type is another.
        """
        storage = parse_storage_id(value, 5)
        member = self._archive.members.get(f"data/{storage.key}")
        if member is None or member.nbytes != storage.nbytes:
            raise ValueError
        if self._types.setdefault(storage.key, storage.type) != storage.type:
            raise ValueError
        return Storage(member, storage.dtype, 0, storage.nbytes)
