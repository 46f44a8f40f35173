"""The 4 digits that A1111 once showed behind the name of a textual inversion."""

from __future__ import annotations

import struct
from contextlib import suppress

from kanna.identity import Identity
from kanna.model import ModelFile


def embedding_checksum(model: ModelFile, identity: Identity) -> str | None:
    """Return the checksum of the only vectors in an embedding file, or None for other files.

    Each number, times 100 in fp32 and without its fraction, goes into ``r = r * 281 ^ n * 997``,
    modulo 2³²; the low 16 bits are shown.
    Source: AUTOMATIC1111 modules/textual_inversion/textual_inversion.py, Embedding.checksum.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    vectors = [tensor for tensor in model.values() if tensor.dtype.is_float]
    if identity.kind != "embedding" or len(vectors) != 1:
        return None
    numbers = vectors[0].numbers() or ()
    checksum = 0
    with suppress(ValueError, OverflowError):  # NaN and Inf have no whole number
        for hundred in struct.unpack(f"<{len(numbers)}f", _hundredfold(numbers)):
            checksum = (checksum * 281 ^ int(hundred) * 997) & 0xFFFFFFFF
        return f"{checksum & 0xFFFF:04x}"
    return None


def _hundredfold(numbers: tuple[float, ...] | tuple[int, ...]) -> bytes:
    return struct.pack(f"<{len(numbers)}f", *(100 * number for number in numbers))
