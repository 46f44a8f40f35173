"""Weights that `kanna diff` prints, given to `kanna merge` again: the same model comes out."""

from __future__ import annotations

import random
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from kanna.dtypes import FP16
from kanna.families.blocks import blocks_of
from kanna.identify import identify
from kanna.identity import Identity
from kanna.merging.recipe import Weight
from kanna.ops.diff import report
from kanna.ops.diff_compared import compared
from kanna.ops.diff_sides import align, side_of
from kanna.ops.merge import merge
from kanna.ops.merge_inputs import Opened
from merge_files import drawn, held, made, recipe
from model_headers import headers

_LARGEST = 1 << 13  # numbers of a tensor: norms and biases, which every block has
_STEP = 2.0**-10  # of fp16, relative


def _of_those(identity: Identity, names: Container[str]) -> Identity:
    """Return what the whole file is, with those of its tensors that are left."""
    parts = (
        replace(part, names=tuple(name for name in part.names if name in names))
        for part in identity.parts
    )
    return replace(identity, parts=tuple(part for part in parts if part.names))


@pytest.mark.parametrize(
    "name",
    ["sd15-fp16-novae", "sd21-fp16-pruned", "sdxl-base-fp16", "sd35-medium", "flux1-dev-bf16",
     "z-image-turbo-bf16", "qwen-image-bf16"],
)  # fmt: skip
def test_what_diff_prints_makes_the_merge_again(name: str, tmp_path: Path) -> None:
    whole = headers()[name].model()
    tensors = {n: one for n, one in whole.items() if one.numel <= _LARGEST and one.dtype.is_float}
    identity = _of_those(identify(whole), tensors)
    models = [drawn(replace(whole, tensors=tensors), seed, dtype=FP16) for seed in (1, 2)]
    opened = {n: Opened(model=m, identity=identity) for n, m in zip("ab", models, strict=True)}
    draw, blocks = random.Random(3), blocks_of(whole, identity)
    given = {block: draw.randrange(1, 1000) / 1000 for block in blocks.names}
    rules = ",".join(f"{block}={number}" for block, number in given.items())

    def merged(text: str) -> dict[str, torch.Tensor]:
        asked = recipe("ab", parameters={"alpha": Weight(value=0.0, blocks=text)})
        return made(merge(asked, opened), tmp_path)

    before = merged(rules)
    first, second, other = (side_of(m, identity) for m in (models[0], held(before), models[1]))
    found = compared(first, second, (other,), align(first, second, (other,)), threads=2)
    verdict = report(found).verdicts[0]
    assert (verdict.kind, verdict.certainty) == ("weighted_sum_by_block", "certain")
    texts: Any = verdict.values["blocks"]
    again = merged(texts["C"])
    for key, tensor in before.items():
        apart = (again[key].double() - tensor.double()).abs()
        room = _STEP * torch.maximum(again[key].double().abs(), tensor.double().abs()) + 2.0**-14
        assert (apart <= room).all(), key
