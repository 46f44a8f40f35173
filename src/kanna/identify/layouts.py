"""Layouts that were taken apart before: files of one collection have the same names and shapes.

What names, shapes and dtypes alone tell is remembered, by a digest of them all; what hangs on the
numbers in a file is not. Only who looks at many files needs this.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from kanna.formats import open_model
from kanna.formats.headers import Headers
from kanna.identify.anatomy import Anatomy, take_apart

if TYPE_CHECKING:
    import os

    from kanna.identify.peek import Peek
    from kanna.model import ModelFile

# Bounds the memory: a tensor of a layout takes some 500 bytes.
_MOST_TENSORS: Final = 160_000
# The one field of metadata that says what weights are.
_SAYS: Final = "_quantization_metadata"


class Layouts:
    """Remembers the layouts that were seen last; use it in one thread."""

    def __init__(self) -> None:
        """Begin without any."""
        self._headers = Headers()
        self._known: OrderedDict[bytes, Anatomy] = OrderedDict()
        self._tensors = 0

    def open_model(self, path: str | os.PathLike[str]) -> ModelFile:
        """Open a model as `kanna.formats.open_model` does, with headers that were seen before.

        Raises:
            KannaError: as that.
        """
        return open_model(path, readers={"safetensors": self._headers.open})

    def take_apart(self, model: ModelFile, peek: Peek) -> Anatomy:
        """Return what `kanna.identify.anatomy.take_apart` returns.

        Raises:
            FormatError: the file does not hold what its header says.
        """
        key = _key(model)
        found = self._known.get(key)
        if found is not None:
            self._known.move_to_end(key)
            return found
        before = peek.left
        anatomy = take_apart(model, peek)
        if peek.left == before and len(model) < _MOST_TENSORS:  # no number had a say
            self._known[key] = anatomy
            self._tensors += len(model)
            while self._tensors > _MOST_TENSORS:
                _, oldest = self._known.popitem(last=False)
                self._tensors -= len(oldest.names.shapes)
        return anatomy


def _key(model: ModelFile) -> bytes:
    listing: object = model.listing
    if listing is None:
        listing = [(t.name, t.dtype.word, t.shape) for t in model.tensors.values()]
    said = (model.container, model.metadata.get(_SAYS, ""))
    return hashlib.blake2b(repr((said, listing)).encode("utf-8", "surrogatepass")).digest()
