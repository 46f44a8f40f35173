"""What `kanna lora extract` can be asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from kanna.lora.extracting import Wanted
from kanna.lora.ranks import layer_ranks, ranks_of
from kanna.lora.storing import storing

RANK: Final = 32
MOST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractOptions:
    """What to extract and how to write it.

    `dynamic` is ``ratio:10``, ``cumulative:0.95`` or ``frobenius:0.95``, with `most` as the highest
    rank; else `rank` holds for all layers, and `conv_rank` for convolutions with a kernel (None: as
    for the others; 0: none of them). Layers of which no number differs by more than `least` are
    left out. `full` writes what no LoRA can carry as whole differences. `quantile` clips the
    factors (kohya's 0.99). `dialect` is a word of ``lora/dialects.toml``.
    `threads` layers are made at once.
    """

    rank: int | None = None
    dynamic: str | None = None
    most: int | None = None
    conv_rank: int | None = None
    text_encoders: bool = True
    least: float = 0.0
    full: bool = False
    quantile: float | None = None
    dialect: str = "kohya"
    dtype: str = "fp16"
    device: str = "cpu"
    digest: bool = True
    threads: int = 1

    def wanted(self) -> Wanted:
        """Return what becomes of a difference.

        Raises:
            UsageError: the options make no sense.
            MissingExtra: torch is not installed.
        """
        ranks = ranks_of(self.rank, self.dynamic, self.most,
                         default=RANK if self.dynamic is None else MOST)  # fmt: skip
        return Wanted(
            ranks=layer_ranks(ranks, self.conv_rank), least=self.least,
            storing=storing(self.dtype, self.device, self.quantile), threads=self.threads,
        )  # fmt: skip
