"""The size of the layer that a module is for, as the shapes of its pieces tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Final, TypeAlias

from kanna.errors import Incompatible
from kanna.lora.modules import Module

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
# The layer's rows, and how many numbers each has; None where the pieces leave it open.
Size: TypeAlias = tuple[int | None, int | None]
# Twice as many as the largest layers of any model have: a small file can speak of far more.
_MOST: Final = 1 << 31


def size_of(module: Module) -> Size | None:
    """Return the size of a module's layer; None where its pieces do not fit together."""
    shapes = {word: piece.shape for word, piece in module.pieces.items()}
    try:
        return _SIZES[module.kind](shapes) if module.kind in _SIZES else (None, None)
    except (KeyError, IndexError, ValueError):
        return None


def shape_of(module: Module) -> tuple[int, ...]:
    """Return the shape of the layer; that of a matrix where nothing tells a convolution's kernel.

    Raises:
        Incompatible: the pieces do not fit together, or leave the shape open, or there is no model
            with such a layer.
    """
    rows, columns = size_of(module) or (None, None)
    if rows is None or columns is None:
        raise Incompatible("lora.pieces_unfit", name=module.name)
    if rows * columns > _MOST:
        raise Incompatible("lora_making.too_large", name=module.name, rows=rows, columns=columns)
    kernel = _kernel({word: piece.shape for word, piece in module.pieces.items()})
    return rows, columns // prod(kernel), *kernel


def _kernel(shapes: Shapes) -> tuple[int, ...]:
    words = ("core", "down", "w2", "w2_b")
    return next((shapes[word][2:] for word in words if word in shapes), ())


def _low_rank(shapes: Shapes) -> Size | None:
    up, down = shapes["up"], shapes["down"]
    core = shapes.get("core", (*down[:1], *down[:1], *down[2:]))
    flat = prod(up[2:]) == 1 and ("core" not in shapes or prod(down[2:]) == 1)
    return (up[0], down[1] * prod(core[2:])) if flat and core[:2] == (up[1], down[0]) else None


def _hadamard(shapes: Shapes) -> Size | None:
    halves = (("hada_a", "hada_b", "core"), ("hada2_a", "hada2_b", "core2"))
    sizes = {_half(*(shapes.get(word, ()) for word in words)) for words in halves}
    return sizes.pop() if len(sizes) == 1 else None


def _half(first: tuple[int, ...], second: tuple[int, ...], core: tuple[int, ...]) -> Size | None:
    if len(first) != 2 or len(second) != 2:
        return None
    if core:
        fits = (first[0], second[0]) == core[:2]
        return (first[1], second[1] * prod(core[2:])) if fits else None
    return (first[0], second[1]) if first[1] == second[0] else None


def _kronecker(shapes: Shapes) -> Size | None:
    small, large = _side(shapes, "w1"), _side(shapes, "w2")
    if len(small) != 2 or len(large) < 2:
        return None
    return small[0] * large[0], small[1] * prod(large[1:])


def _side(shapes: Shapes, word: str) -> tuple[int, ...]:
    """Return the shape of one factor of LoKr.

    Raises:
        IndexError: its own factors do not fit together.
    """
    if word in shapes:
        return shapes[word]
    first, second = shapes[f"{word}_a"], shapes[f"{word}_b"]
    if len(first) != 2 or len(second) < 2:
        raise IndexError(word)
    core = shapes.get("core", ()) if word == "w2" else ()
    if (core[:2] or first[1:2] * 2) != ((first[0] if core else second[0]), second[0]):
        raise IndexError(word)
    return (first[1], second[1], *core[2:]) if core else (first[0], *second[1:])


def _through(shapes: Shapes) -> Size | None:
    a1, a2, b1, b2 = (shapes[word] for word in ("a1", "a2", "b1", "b2"))
    fits = a1[1] == a2[0] and b1[1] == b2[0] and a1[0] == a2[1] == b2[1]
    fits = fits and all(prod(one[2:]) == 1 for one in (a1, a2, b1))
    return (b1[0], prod(b2[1:])) if fits else None


def _rotated(shapes: Shapes) -> Size | None:
    """OFT's blocks are squares along the diagonal; BOFT's later factors reach ever farther."""
    blocks = shapes.get("rotation") or shapes["rotations"]
    count, height, width = blocks[-3:]
    rows = count * width
    stages = blocks[0] if "rotations" in shapes else 0
    turns = len(blocks) == 3 + bool(stages) and height == width
    turns = turns and (not stages or (width % 2 == 0 and rows % (width << (stages - 1)) == 0))
    stretches = prod(shapes.get("rescale", (rows,))) == rows
    return (rows, None) if turns and stretches else None


_SIZES: Final[Mapping[str, Callable[[Shapes], Size | None]]] = {
    "lora": _low_rank, "dora": _low_rank, "loha": _hadamard, "lokr": _kronecker,
    "glora": _through, "oft": _rotated, "boft": _rotated,
}  # fmt: skip
