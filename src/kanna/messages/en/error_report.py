"""The error report: how far a lossy conversion moved the numbers."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "title": "Quantisation error by block",
    "legend_block": "relative RMS error of a block",
    "legend_worst": "its worst tensor",
    "legend_overall": "all blocks together",
    "exact": "exact",
    "picture_description": "Bar chart of {blocks:,} blocks with {tensors:,} tensors on a logarithmic scale. The relative RMS error of all together is {rms}.",
    "picture_overall": "relative RMS {rms}, cosine {cosine}, largest error {largest}",
    "picture_row": "{name}: relative RMS {rms}, cosine {cosine}, largest error {largest}, tensors: {tensors:,}",
    "picture_note": "Logarithmic scale. Relative RMS error: the size of the change divided by the size of the weights.",
    "picture_more": "{count:,} more blocks are not drawn.",
    "heading": "Quantisation error",
    "column_block": "block",
    "column_tensor": "worst tensors",
    "column_rms": "relative RMS",
    "column_largest": "largest error",
    "column_cosine": "cosine",
    "overall": "all",
    "more_blocks": "{count:,} more blocks; -v shows all",
    "nothing_lost": "No number changed.",
}
