"""Adjust: detail, contrast and colour of one UNet, where its latents come in and go out.

Which tensors are changed, and by how much, stands in ``methods/adjust.toml`` with its source.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from kanna.errors import UsageError
from kanna.families.blocks import Place

_TABLE: Final = Path(__file__).parent / "methods" / "adjust.toml"


def adjusted(
    count: int, *, place: Place | None, **numbers: float
) -> tuple[tuple[float, ...], Sequence[float]]:
    """Return what multiplies the tensor at `place`, and what is added to its numbers, if anything.

    Raises:
        UsageError: the latents of the model are none that the table knows.
    """
    if place is None or place.role != "diffusion_model":
        return (1.0,) * count, ()
    table = _table()
    latents = table["latents"].get(place.architecture)
    if latents is None:
        raise UsageError("blocks.no_adjust", architecture=place.architecture or "-",
                         known=", ".join(table["latents"]))  # fmt: skip
    steps = table["factors"].get(place.path, {})
    factor = 1 + sum(step * numbers[name] for name, step in steps.items())
    added = table["added"][latents].get(place.path, {})
    terms = [
        [share * numbers[name] for share in shares]
        for name, shares in added.items()
        if numbers[name]
    ]
    return (factor,) * count, [sum(channel) for channel in zip(*terms, strict=True)]


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(_TABLE.read_text("utf-8"))
