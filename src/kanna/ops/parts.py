"""A model file in pieces: each model inside by itself, its averaged copy, and what is left over.

Pieces hold every tensor of the file, each once: what is split can be joined again without a loss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from kanna.families import tables
from kanna.families.joined import top_markers
from kanna.identity import Identity, Part
from kanna.model import ModelFile, TensorInfo

MODEL: Final = "diffusion_model"
EMA: Final = "ema"
LEFTOVERS: Final = "leftovers"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """One model of a file, or the averaged copy of one.

    `tensors` are in file order, under their names relative to `prefix`; those of an averaged copy
    have the names of the tensors that they are copies of, which is how every loader knows them.
    `names` are their full names in the file. `beside` are tensors that stand elsewhere and belong
    to this piece, under their full names: what tells how the model predicts goes with it.
    `word` is that of a family's needs: a role, or the kind of text encoder (``clip-l``, ``t5xxl``).
    `part` is what identification says of it; of a copy, what it says of the model.
    """

    role: str
    word: str
    part: Part
    prefix: str
    tensors: Mapping[str, TensorInfo]
    names: Mapping[str, str]
    beside: Mapping[str, TensorInfo] = field(default_factory=dict)

    @property
    def layout(self) -> str | None:
        """The layout of its names."""
        return self.part.layout

    @property
    def nbytes(self) -> int:
        """The bytes of its tensors."""
        every = (*self.tensors.values(), *self.beside.values())
        return sum(tensor.nbytes for tensor in every)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pieces:
    """A file taken apart: its models, and every tensor that belongs to none, by its full name."""

    model: ModelFile
    identity: Identity
    pieces: tuple[Piece, ...]
    leftovers: Mapping[str, TensorInfo]

    def of(self, word: str) -> Piece | None:
        """Return the first piece with this role or word, or None."""
        return next((piece for piece in self.pieces if word in {piece.role, piece.word}), None)


def pieces(model: ModelFile, identity: Identity) -> Pieces:
    """Take `model` apart into the parts that `identity` names, its averaged copy, and the rest."""
    found = [_piece(model, part) for part in identity.parts if part.names]
    taken = {name for piece in found for name in piece.names.values()}
    lone = [name for name in identity.markers if name not in taken]
    for name in lone:
        at = _owner(name, found)
        if at is not None:
            piece = found[at]
            found[at] = replace(piece, beside={**piece.beside, name: model[name]})
            taken.add(name)
    if (copy := _averaged(model, identity)) is not None:
        found.append(copy)
        taken.update(copy.names.values())
    leftovers = {name: tensor for name, tensor in model.items() if name not in taken}
    return Pieces(model=model, identity=identity, pieces=tuple(found), leftovers=leftovers)


def with_beside(apart: Pieces) -> Pieces:
    """Return the pieces of a folder with what it keeps beside them: markers go with the model."""
    beside, found = apart.model.beside, list(apart.pieces)
    if not beside:
        return apart
    marks = {name: tensor for name, tensor in beside.items() if name in top_markers()}
    at = _owner("", found)
    if at is not None:
        found[at] = replace(found[at], beside={**found[at].beside, **marks})
    left = {name: tensor for name, tensor in beside.items() if at is None or name not in marks}
    return replace(apart, pieces=tuple(found), leftovers={**apart.leftovers, **left})


def is_tokenizer(name: str) -> bool:
    """Whether the tensor `name` is the text of a tokenizer, which goes with a text encoder."""
    rows = tables()["everywhere"]["keep"]
    tails = [tail for row in rows if row["why"] == "tokenizer" for tail in row["tails"]]
    return name.rpartition(".")[2] in tails


def _owner(name: str, found: Sequence[Piece]) -> int | None:
    """Return which piece the marker `name` belongs to: a text encoder, or the diffusion model."""
    role = "text_encoder" if is_tokenizer(name) else MODEL
    mine = [at for at, piece in enumerate(found) if piece.role == role]
    prefix = name.rpartition(".")[0]
    under = [at for at in mine if found[at].prefix.startswith(prefix)]
    return max(under or mine, key=lambda at: found[at].nbytes, default=None)


def _piece(model: ModelFile, part: Part) -> Piece:
    names = {name.removeprefix(part.prefix): name for name in part.names}
    return Piece(
        role=part.role,
        word=part_word(part),
        part=part,
        prefix=part.prefix,
        tensors={relative: model[name] for relative, name in names.items()},
        names=names,
    )


def part_word(part: Part) -> str:
    """Return the word by which families ask for `part`: a text encoder's kind, else its role."""
    kinds = (part.variant, *part.variant_candidates)
    if part.role == "text_encoder":
        return next((kind for kind in kinds if kind), part.role)
    return part.role


def _averaged(model: ModelFile, identity: Identity) -> Piece | None:
    """Return the averaged copy under the names of the model that it is a copy of."""
    part, ema = identity.part(MODEL), identity.ema
    if part is None or not ema.pairs:
        return None
    originals = {copy: name for name, copy in ema.pairs.items()}
    names = {originals[n].removeprefix(part.prefix): n for n in model if n in originals}
    tensors = {relative: model[name] for relative, name in names.items()}
    return Piece(role=EMA, word=EMA, part=part, prefix=ema.prefix, tensors=tensors, names=names)
