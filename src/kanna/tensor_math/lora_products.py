"""What the modules of LoRAs and their kin add to a weight, some rows of it at a time.

Sources: microsoft/LoRA; KohakuBlueleaf/LyCORIS lycoris/functional and modules (LoHa, LoKr, IA3,
GLoRA, diag-OFT, BOFT; Tucker's form); NVlabs/DoRA and huggingface/peft tuners/lora/dora.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, prod
from typing import Final

import torch

from kanna.tensor_math.buffers import put, tensor_of

# Keeps DoRA from dividing by the norm of an empty row, as LyCORIS does.
_LEAST: Final = torch.finfo(torch.float32).eps


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which rows of a layer are wanted, `first` to `last`, each of the shape `row`.

    `scale` is what the product is multiplied with, `strength` how strong all of it is to be, where
    that is no factor; `limit` bounds OFT's rotations, and `by_input` says how IA3 and magnitudes
    go: one number for each input, else for each output.
    """

    first: int
    last: int
    row: tuple[int, ...]
    scale: float = 1.0
    strength: float = 1.0
    limit: float = 0.0
    by_input: bool = False

    @property
    def rows(self) -> slice:
        """The rows."""
        return slice(self.first, self.last)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of what is wanted."""
        return (self.last - self.first, *self.row)


Pieces = Mapping[str, torch.Tensor]


def fill(
    kind: str,
    pieces: Mapping[str, tuple[bytearray, tuple[int, ...]]],
    weight: bytearray | None,
    asked: Asked,
    out: memoryview,
) -> None:
    """Fill `out` with what a module of `kind` adds: fp32 numbers of the rows that are asked for.

    `pieces` are fp32 numbers with their shapes, `weight` those of the same rows of the layer.
    """
    with torch.inference_mode():
        tensors = {word: tensor_of(data, shape) for word, (data, shape) in pieces.items()}
        before = None if weight is None else tensor_of(weight, asked.shape)
        put(added(kind, tensors, before, asked), out)


def added(kind: str, pieces: Pieces, weight: torch.Tensor | None, asked: Asked) -> torch.Tensor:
    """Return what a module of `kind` adds to those rows.

    Raises:
        RuntimeError: the pieces do not fit together.
    """
    if kind in _PRODUCTS:
        difference = asked.scale * _PRODUCTS[kind](pieces, asked).reshape(asked.shape)
        if "magnitude" not in pieces or weight is None:
            return difference
        return _decomposed(weight + difference, pieces["magnitude"], asked) - weight
    if weight is None:
        raise RuntimeError(kind)
    return _CHANGES[kind](pieces, weight, asked)


def low_rank(pieces: Pieces, asked: Asked) -> torch.Tensor:
    """``up [out,r] @ down [r,in·k·k]``, with a core between the two in Tucker's form."""
    up, down = pieces["up"][asked.rows].flatten(1), pieces["down"]
    if "core" in pieces:
        down = torch.einsum("pq...,qi->pi...", pieces["core"], down.flatten(1))
    return up @ down.flatten(1)


def hadamard(pieces: Pieces, asked: Asked) -> torch.Tensor:
    """LoHa: the product of two low-rank matrices, number by number."""
    return _half(pieces, "hada_a", "hada_b", "core", asked) * _half(
        pieces, "hada2_a", "hada2_b", "core2", asked
    )


def _half(pieces: Pieces, first: str, second: str, core: str, asked: Asked) -> torch.Tensor:
    if core in pieces:
        return _tucker(pieces[core], pieces[first][:, asked.rows], pieces[second]).flatten(1)
    return pieces[first][asked.rows] @ pieces[second]


def _tucker(core: torch.Tensor, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """``core [i,j,k,l]``, ``first [i,out]``, ``second [j,in]`` as ``[out,in,k,l]``."""
    made: torch.Tensor = torch.einsum("ij...,ip,jr->pr...", core, first, second)
    return made


def kronecker(pieces: Pieces, asked: Asked) -> torch.Tensor:
    """LoKr: the Kronecker product of two matrices, each whole or a product itself."""
    small, large = _side(pieces, "w1"), _side(pieces, "w2")
    height = large.shape[0]
    top, bottom = asked.first // height, ceil(asked.last / height)
    small = small[top:bottom].reshape(-1, small.shape[1], *(1,) * (large.dim() - 2))
    product = torch.kron(small.contiguous(), large.contiguous())
    return product[asked.first - top * height : asked.last - top * height].flatten(1)


def _side(pieces: Pieces, word: str) -> torch.Tensor:
    if word in pieces:
        return pieces[word]
    first, second = pieces[f"{word}_a"], pieces[f"{word}_b"]
    if word == "w2" and "core" in pieces:
        return _tucker(pieces["core"], first, second)
    if second.dim() > 2:  # a convolution's inputs and kernel lie together
        return (first @ second.flatten(1)).reshape(first.shape[0], *second.shape[1:])
    return first @ second


def _decomposed(weight: torch.Tensor, magnitude: torch.Tensor, asked: Asked) -> torch.Tensor:
    """DoRA: the direction of `weight`, in rows or in columns, at the length of `magnitude`."""
    if asked.by_input:
        dims = [0, *range(2, weight.dim())]
        shape = (1, weight.shape[1], *(1,) * (weight.dim() - 2))
        lengths = magnitude.reshape(shape)
    else:
        dims = list(range(1, weight.dim()))
        lengths = magnitude.flatten()[asked.rows].reshape(-1, *(1,) * (weight.dim() - 1))
    norm = torch.linalg.vector_norm(weight, dim=dims, keepdim=True) + _LEAST
    made: torch.Tensor = weight * (lengths / norm)
    return made


def scaled(pieces: Pieces, weight: torch.Tensor, asked: Asked) -> torch.Tensor:
    """IA3: the weight times one number for each input, or for each output."""
    numbers = pieces["scale"].flatten()
    if asked.by_input:
        return weight * numbers.reshape(1, -1, *(1,) * (weight.dim() - 2))
    return weight * numbers[asked.rows].reshape(-1, *(1,) * (weight.dim() - 1))


def through_weight(pieces: Pieces, weight: torch.Tensor, asked: Asked) -> torch.Tensor:
    """GLoRA: ``W @ a1 @ a2 + b1 @ b2``."""
    through = torch.einsum("oi...,ir,rj->oj...", weight, pieces["a1"].flatten(1),
                           pieces["a2"].flatten(1))  # fmt: skip
    plain = pieces["b1"][asked.rows].flatten(1) @ pieces["b2"].flatten(1)
    return asked.scale * (through + plain.reshape(asked.shape))


def rotated(pieces: Pieces, weight: torch.Tensor, asked: Asked) -> torch.Tensor:
    """OFT: each block of rows turned by a rotation (Cayley's form), then stretched."""
    blocks = pieces["rotation"]
    turn = _rotations(blocks, asked.limit) - torch.eye(blocks.shape[-1])
    size = blocks.shape[-1]
    parts = weight.reshape(-1, size, prod(asked.row))
    here = turn[asked.first // size : asked.last // size]
    moved = torch.einsum("knm,kn...->km...", here, parts).reshape(asked.shape)
    return _stretched(moved, weight, pieces, asked)


def butterfly(pieces: Pieces, weight: torch.Tensor, asked: Asked) -> torch.Tensor:
    """BOFT: a few rotations one after the other, of rows ever farther apart; all rows at once."""
    blocks = pieces["rotations"]
    size = blocks.shape[-1]
    eye, made = torch.eye(size), weight.reshape(weight.shape[0], -1)
    for stage, turns in enumerate(_rotations(blocks, asked.limit)):
        turn = turns * asked.strength + (1 - asked.strength) * eye
        apart = 2**stage * (size // 2)
        width = made.shape[1]
        mixed = made.reshape(-1, 2, apart, width).transpose(1, 2).reshape(-1, size, width)
        mixed = torch.einsum("bij,bjn->bin", turn, mixed)
        made = mixed.reshape(-1, apart, 2, width).transpose(1, 2).reshape(-1, width)
    moved = made.reshape(weight.shape) - weight
    return _stretched(moved, weight, pieces, asked)


def _rotations(blocks: torch.Tensor, limit: float) -> torch.Tensor:
    """Return Cayley's rotations of what is skew in `blocks`, whose norm may not exceed `limit`."""
    skew = blocks - blocks.transpose(-1, -2)
    norm = torch.linalg.vector_norm(skew) + 1e-8
    if 0 < limit < norm:
        skew = skew * limit / norm
    eye = torch.eye(blocks.shape[-1])
    made: torch.Tensor = (eye + skew) @ torch.linalg.inv(eye - skew)
    return made


def _stretched(
    moved: torch.Tensor, weight: torch.Tensor, pieces: Pieces, asked: Asked
) -> torch.Tensor:
    if "rescale" not in pieces:
        return moved
    numbers = pieces["rescale"].flatten()[asked.rows].reshape(-1, *(1,) * (weight.dim() - 1))
    lengths = 1 + asked.strength * (numbers - 1)
    return lengths * (weight + moved) - weight


_PRODUCTS: Final[Mapping[str, Callable[[Pieces, Asked], torch.Tensor]]] = {
    "lora": low_rank, "dora": low_rank, "loha": hadamard, "lokr": kronecker,
}  # fmt: skip
_CHANGES: Final[Mapping[str, Callable[[Pieces, torch.Tensor, Asked], torch.Tensor]]] = {
    "ia3": scaled, "glora": through_weight, "oft": rotated, "boft": butterfly,
}  # fmt: skip
