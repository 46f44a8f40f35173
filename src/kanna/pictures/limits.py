"""How much of a picture is read as text: enough for any workflow, too little for a bomb."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

from kanna.errors import FormatError

TEXT: Final = 16 << 20  # bytes of one text; workflows of ComfyUI have some millions
TOTAL: Final = 32 << 20  # bytes of all texts of a picture
TEXTS: Final = 1024
PIECES: Final = 1 << 17  # chunks or blocks: libpng writes 8 KiB of an image in each
_STEP: Final = 1 << 18
_DENSEST: Final = 1032  # bytes that deflate can make of one


class Allowance:
    """What may still be read of a picture's texts."""

    __slots__ = ("_count", "_left", "path")

    def __init__(self, path: Path) -> None:
        """Begin with everything that a picture at `path` may have."""
        self.path = path
        self._left = TOTAL
        self._count = 0

    def take(self, name: str, nbytes: int) -> None:
        """Take `nbytes` for the text called `name`.

        Raises:
            FormatError: that is too much for one text, or with all before it.
        """
        if nbytes > TEXT:
            raise self._too_long(name)
        self._left -= nbytes
        self._count += 1
        if self._left < 0:
            raise FormatError("pictures.texts_too_long", path=self.path, limit=TOTAL >> 20)
        if self._count > TEXTS:
            raise FormatError("pictures.too_many_texts", path=self.path, limit=TEXTS)

    def inflate(self, name: str, packed: bytes, wbits: int = zlib.MAX_WBITS) -> bytearray:
        """Return what `packed` holds, the text called `name`; `wbits` as `zlib` has it.

        What may be a bomb is counted first and not kept.

        Raises:
            FormatError: there is more in it than a text may have.
            zlib.error: it is damaged, or ends early.
        """
        if len(packed) * _DENSEST > TEXT:
            self._inflated(name, packed, wbits, None)
        text = bytearray()
        self._inflated(name, packed, wbits, text)
        self.take(name, len(text))
        return text

    def _inflated(self, name: str, packed: bytes, wbits: int, out: bytearray | None) -> None:
        """Inflate step by step, and add to `out` what comes, if there is one."""
        machine, size = zlib.decompressobj(wbits), 0
        while not machine.eof:
            step = machine.decompress(packed, _STEP)
            packed, size = machine.unconsumed_tail, size + len(step)
            if size > min(TEXT, self._left):
                self.take(name, size)
            if out is not None:
                out += step
            if not (step or packed or machine.eof):
                raise zlib.error

    def _too_long(self, name: str) -> FormatError:
        return FormatError("pictures.text_too_long", path=self.path, name=name, limit=TEXT >> 20)
