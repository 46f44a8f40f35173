"""The modules of an adapter: which layer each changes, by how much, and how it is spelled.

Every dialect stores a few small tensors per layer, told apart by the ends of their names. The
table ``lora.toml`` says which end is which piece, and which part of a model the beginning of a name
speaks of. Sources of the shapes: KohakuBlueleaf/LyCORIS, huggingface/peft,
ComfyUI comfy/weight_adapter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from math import isqrt, prod
from typing import TYPE_CHECKING, Final

from kanna.families import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kanna.families.keys import Shape

_MAX_WORDS: Final = 5


@dataclass(slots=True, kw_only=True, eq=False)
class Module:
    """What an adapter adds to one layer.

    `path` is the layer's, with the beginning that names the part of the model (`reach`) taken off;
    `pieces` maps what a tensor is for (``down``, ``alpha`` …) to its shape, `names` to its name.
    """

    path: str
    reach: str | None
    dialect: str | None
    pieces: dict[str, Shape] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    @property
    def sizes(self) -> Sizes:
        """Its rank, and the widths of its layer, as far as the pieces tell."""
        return next((read(self.pieces) for key, read in _READERS if key in self.pieces), Sizes())

    @property
    def convolution(self) -> bool:
        """Whether it changes a convolution with a kernel of more than one element."""
        return "core" in self.pieces or any(
            prod(s[2:]) > 1 for s in map(_kernel, self.pieces.items())
        )


@dataclass(frozen=True, slots=True)
class Sizes:
    """The rank of a module (None: it has none) and the widths of its layer (None: not known)."""

    rank: int | None = None
    out: int | None = None
    into: int | None = None


def modules_of(shapes: Mapping[str, Shape], names: Iterable[str]) -> list[Module]:
    """Return the modules that the tensors `names` belong to, in the order of the file."""
    found: dict[str, Module] = {}
    for name in names:
        piece, path = _taken_apart(name)
        if piece is None:
            continue
        if path not in found:
            reach, dialect, rest = _reach(path)
            found[path] = Module(path=rest, reach=reach, dialect=dialect)
        found[path].pieces[piece] = shapes[name]
        found[path].names[piece] = name
    return list(found.values())


def unnamed_pieces(names: Iterable[str]) -> dict[str, str]:
    """Map pieces of adapters, as they are called without the adapter's name, to what they are."""
    pairs = ((unnamed(name)[0], name) for name in names)
    return {plain: name for plain, name in pairs if plain != name}


def unnamed(name: str) -> tuple[str, str | None]:
    """Return the name of a tensor without that of its adapter, and the adapter's, if it has one."""
    known = tables()["families"]["lora"]["named"]
    words = name.rsplit(".", 3)
    if len(words) < 3 or words[-3] not in known["words"] or words[-1] not in known["ends"]:
        return name, None
    return ".".join([*words[:-2], words[-1]]), words[-2]


def _taken_apart(name: str) -> tuple[str | None, str]:
    """Return what the tensor is for and the path of its layer."""
    name, _ = unnamed(name)
    words = name.rsplit(".", _MAX_WORDS)
    for at in range(len(words)):
        ending = _endings().get(".".join(words[at:]))
        if ending is not None:
            piece, inner = ending
            path = ".".join([*words[:at], *([inner] if inner else [])])
            return piece, path.replace(".processor.", ".")
    return None, name


def _reach(path: str) -> tuple[str | None, str | None, str]:
    """Return the part of the model, the dialect where the beginning tells it, and the rest."""
    reach = dialect = None
    while True:
        row = next((row for row in _reaches() if path.startswith(row[0])), None)
        if row is None:
            return reach, dialect, path
        path = path[len(row[0]) :]
        reach, dialect = row[1] or reach, row[2] or dialect


@cache
def _endings() -> dict[str, tuple[str, str]]:
    known = tables()["families"]["lora"]
    spelled = {tail: (piece, "") for piece, tails in known["endings"].items() for tail in tails}
    inner = {
        f"{word}.{piece}.weight": (piece, module)
        for word, module in known["inner"].items()
        for piece in ("up", "down")
    }
    return {**spelled, **inner}


@cache
def _reaches() -> list[tuple[str, str | None, str | None]]:
    """Return beginnings with what they tell, the longest first."""
    rows = [
        (start, row.get("reach"), row.get("dialect"))
        for row in tables()["families"]["lora"]["reaches"]
        for start in row["starts"]
    ]
    return sorted(rows, key=lambda row: -len(row[0]))


def _low_rank(pieces: Mapping[str, Shape]) -> Sizes:
    """Return the sizes of ``up [out,r] x down [r,in]``."""
    up, down = pieces.get("up", ()), pieces.get("down", ())
    return Sizes(_at(down, 0) or _at(up, 1), _at(up, 0), _at(down, 1))


def _hadamard(pieces: Mapping[str, Shape]) -> Sizes:
    """LoHa: ``w1_a [out,r] x w1_b [r,in]`` twice; with a core the first is ``[r,out]``."""
    first, second = pieces.get("hada_a", ()), pieces.get("hada_b", ())
    return Sizes(_at(second, 0), _at(first, 1 if "core" in pieces else 0), _at(second, 1))


def _kronecker(pieces: Mapping[str, Shape]) -> Sizes:
    """LoKr: the Kronecker product of w1 and w2, each whole or a product of two."""
    out, into = [], []
    for side in ("w1", "w2"):
        whole, a, b = (pieces.get(f"{side}{end}", ()) for end in ("", "_a", "_b"))
        turned = side == "w2" and "core" in pieces
        out.append(_at(whole, 0) or _at(a, 1 if turned else 0))
        into.append(_at(whole, 1) or _at(b, 1))
    rank = _at(pieces.get("w2_b", ()), 0) or _at(pieces.get("w1_b", ()), 0)
    return Sizes(rank, _product(out), _product(into))


def _glora(pieces: Mapping[str, Shape]) -> Sizes:
    """GLoRA: ``a1``, ``a2``, ``b1``, ``b2``; the rank is the smaller size of each.

    Those of a convolution have a kernel of one behind.
    """
    first = pieces["a1"][:2]
    return Sizes(min(first, default=None), None, max(first, default=None))


def _rotation(pieces: Mapping[str, Shape]) -> Sizes:
    """OFT ``[blocks,size,size]``, BOFT ``[factors,blocks,size,size]``: square blocks of out."""
    shape = pieces["rotation"]
    return Sizes(None, _product([_at(shape, -3), _at(shape, -1)]), None)


def _packed_rotation(pieces: Mapping[str, Shape]) -> Sizes:
    """PEFT's OFT: each row the upper triangle of a block of in."""
    shape = pieces["packed_rotation"]
    size = (1 + isqrt(1 + 8 * (_at(shape, 1) or 0))) // 2
    return Sizes(None, None, _product([_at(shape, 0), size]))


def _whole(pieces: Mapping[str, Shape]) -> Sizes:
    shape = pieces["diff"]
    return Sizes(None, _at(shape, 0), _at(shape, 1))


_READERS: Final = (
    ("down", _low_rank), ("up", _low_rank), ("hada_a", _hadamard), ("w1_a", _kronecker),
    ("w1", _kronecker), ("w2", _kronecker), ("w2_a", _kronecker), ("a1", _glora),
    ("rotation", _rotation), ("packed_rotation", _packed_rotation), ("diff", _whole),
)  # fmt: skip


def _kernel(piece: tuple[str, Shape]) -> Shape:
    name, shape = piece
    return shape if name in {"down", "diff", "w2", "core"} else ()


def _at(shape: Shape, at: int) -> int | None:
    return shape[at] if -len(shape) <= at < len(shape) else None


def _product(sizes: Iterable[int | None]) -> int | None:
    known = [size for size in sizes if size is not None]
    return prod(known) if len(known) == 2 else None
