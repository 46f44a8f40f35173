"""Checkpoints of torch: ``.ckpt``, ``.pt``, ``.pth`` and ``.bin`` in all three of its formats.

::

    open_checkpoint ─ torch_zip | torch_legacy | torch_tar     which container, decided by content
        pickle_vm       the pickle as data: machine, opcodes, scalars, text, nodes
        torch_names     the globals that are understood, as strings
        torch_tensors   their nodes as tensors, storages and plain values
        state_dict      which of it is the model, and what lies beside
        *_data          where the bytes of a tensor are: as they lie, compressed, strided
    layout, pickle_writer                                      the writing half

Nothing in a file is run, whatever it asks for.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kanna.errors import UnsafeFile
from kanna.formats.checkpoint.state_dict import Contents, StateDictReader
from kanna.formats.checkpoint.torch_names import KNOWN
from kanna.formats.wrong_content import explain
from kanna.model import ModelFile, Note

if TYPE_CHECKING:
    from kanna.disk import InputFile
    from kanna.formats.checkpoint.pickle_vm import Pickle
    from kanna.formats.checkpoint.torch_tensors import TorchTensors

_MIN_SIZE: Final = 16
_TAR_MAGIC_AT: Final = 257


def open_checkpoint(file: InputFile) -> ModelFile:
    """Open a checkpoint: read its pickle and directory, no tensor data.

    Raises:
        FormatError: it is no checkpoint, it is damaged, or its numbers do not add up.
        UnsafeFile: it holds calls of unknown code and no tensor that could be read without them.
    """
    container, (pickle, tensors, notes) = open_container(file)
    contents = StateDictReader(file.path, tensors).read(pickle.value)
    unknown = [found for found in pickle.globals if found.dotted not in KNOWN]
    names = ", ".join(found.dotted for found in unknown)
    if unknown:
        notes.append(Note("checkpoint.unknown_globals", {"count": len(unknown), "names": names}))
        if _holds_only_code(contents) and any(found.called for found in unknown):
            raise UnsafeFile("checkpoint.only_code", path=file.path, names=names)
    return ModelFile(
        path=file.path,
        container=container,
        size=file.size,
        tensors=MappingProxyType(contents.tensors),
        files=(file,),
        metadata=MappingProxyType(contents.metadata),
        extras=MappingProxyType(contents.extras),
        refused=MappingProxyType(contents.refused),
        notes=(*notes, *contents.notes),
    )


def open_container(file: InputFile) -> tuple[str, tuple[Pickle, TorchTensors, list[Note]]]:
    """Open the container that the content asks for, importing only the reader that it needs.

    Raises:
        FormatError: it is no checkpoint, or it is damaged.
    """
    if file.size < _MIN_SIZE:
        raise explain(file)
    head = file.read(0, min(file.size, _TAR_MAGIC_AT + 5))
    if head.startswith(b"PK\x03\x04"):
        from kanna.formats.checkpoint.torch_zip import open_zip

        return "ckpt-zip", open_zip(file)
    if head[_TAR_MAGIC_AT:] == b"ustar":
        from kanna.formats.checkpoint.torch_tar import open_tar

        return "ckpt-tar", open_tar(file)
    from kanna.formats.checkpoint.torch_legacy import open_legacy

    return "ckpt-legacy", open_legacy(file)


def _holds_only_code(contents: Contents) -> bool:
    return not contents.tensors and not contents.refused
