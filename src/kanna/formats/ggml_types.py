"""The tensor types of GGUF: plain numbers, and blocks in which many numbers share a scale.

Source: ``enum ggml_type`` in ggml.h and the block structures in ggml-common.h; numbers that are
missing here were withdrawn there.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from kanna.dtypes import WORDS, DType


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class BlockType(DType):
    """A quantised type: rows are cut into blocks of `elements` numbers in `block_bytes` bytes.

    `bits` is the width of one number rounded up, for display; sizes come from the blocks. With a
    `code`, the kernel reads it; it also writes those of `WRITTEN`.
    """

    elements: int
    block_bytes: int

    @property
    def is_float(self) -> bool:
        """No: whoever converts between precisions has to ask for blocks, not meet them."""
        return False

    def nbytes(self, numel: int) -> int:
        """Return the bytes that `numel` numbers take; rows are whole blocks."""
        return numel // self.elements * self.block_bytes


# The kernel's numbers, as in the enum at the head of _kernel_numbers.h.
_CODES: Final = {
    word: code
    for code, word in enumerate(
        (
            *("q4_0", "q4_1", "q5_0", "q5_1", "q8_0"),
            *("q2_k", "q3_k", "q4_k", "q5_k", "q6_k"),
            *("iq4_nl", "iq4_xs", "tq1_0", "tq2_0", "mxfp4"),
        ),
        start=12,
    )
}


def _block(word: str, elements: int, block_bytes: int) -> BlockType:
    return BlockType(
        word=word, bits=-(-block_bytes * 8 // elements), kind="float", code=_CODES.get(word),
        elements=elements, block_bytes=block_bytes,
    )  # fmt: skip


GGML_TYPES: Final = MappingProxyType({
    0: WORDS["fp32"],
    1: WORDS["fp16"],
    2: _block("q4_0", 32, 18),
    3: _block("q4_1", 32, 20),
    6: _block("q5_0", 32, 22),
    7: _block("q5_1", 32, 24),
    8: _block("q8_0", 32, 34),
    9: _block("q8_1", 32, 36),
    10: _block("q2_k", 256, 84),
    11: _block("q3_k", 256, 110),
    12: _block("q4_k", 256, 144),
    13: _block("q5_k", 256, 176),
    14: _block("q6_k", 256, 210),
    15: _block("q8_k", 256, 292),
    16: _block("iq2_xxs", 256, 66),
    17: _block("iq2_xs", 256, 74),
    18: _block("iq3_xxs", 256, 98),
    19: _block("iq1_s", 256, 50),
    20: _block("iq4_nl", 32, 18),
    21: _block("iq3_s", 256, 110),
    22: _block("iq2_s", 256, 82),
    23: _block("iq4_xs", 256, 136),
    24: WORDS["int8"],
    25: WORDS["int16"],
    26: WORDS["int32"],
    27: WORDS["int64"],
    28: WORDS["fp64"],
    29: _block("iq1_m", 256, 56),
    30: WORDS["bf16"],
    34: _block("tq1_0", 256, 54),
    35: _block("tq2_0", 256, 66),
    39: _block("mxfp4", 32, 17),
    40: _block("nvfp4", 64, 36),
    41: _block("q1_0", 128, 18),
})  # fmt: skip

# The block types that the kernel can write, by word.
WRITTEN: Final = MappingProxyType({
    kind.word: kind
    for kind in GGML_TYPES.values()
    if isinstance(kind, BlockType) and kind.word in {"q4_0", "q4_1", "q5_0", "q5_1", "q8_0"}
})  # fmt: skip
