"""The parts that a join is made of: what each input brings, and where it stood before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from kanna.errors import Incompatible, Incomplete
from kanna.formats.ggml_types import BlockType
from kanna.identity import Identity, Part
from kanna.model import ModelFile, TensorInfo
from kanna.ops.casting import refuse_unreadable
from kanna.ops.diffusers_record import metadata_of, returned
from kanna.ops.part_record import Record, read_record, restored, source_id
from kanna.ops.parts import EMA, LEFTOVERS, MODEL, Piece, Pieces, part_word, pieces


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Offer:
    """One part that an input brings.

    `tensors` are by their names relative to `file_prefix`, in the layout of `part`; `beside` have
    their full names. `metadata` is what its own file says. `home` is the part by the full names
    that it had, under `prefix` and in `layout`, in the file that `source` stands for, and `places`
    are their places there: what was cut out of a file can go back as it was. `origin` are the words
    of all parts of that file, `needs` those of the parts that it needed. Of a part of unknown
    origin, all these are None. `recorded` says that a record tells all this, which may lie.
    `left_out` are tensors beside a lone part that are of no use.
    """

    model: ModelFile
    identity: Identity
    role: str
    word: str
    part: Part | None
    prefix: str
    layout: str | None
    tensors: Mapping[str, TensorInfo]
    file_prefix: str = ""
    beside: Mapping[str, TensorInfo] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    home: Mapping[str, TensorInfo] | None = None
    places: Mapping[str, int] = field(default_factory=dict)
    source: str | None = None
    recorded: bool = False
    left_out: tuple[str, ...] = ()
    origin: tuple[str, ...] | None = None
    needs: tuple[str, ...] | None = None


def offers(model: ModelFile, identity: Identity, *, believe: bool = True) -> list[Offer]:
    """Return what `model` brings to a join; without `believe` nothing says where it stood before.

    Raises:
        Incompatible: it is no part of an image model, or cannot be carried into a file.
        Incomplete: a part in it lacks tensors.
    """
    _check(model)
    if (lone := _recorded(model, identity)) is not None:
        return [lone if believe else _homeless(lone)]
    folder = model.container == "diffusers"
    found = list(_folder(model, identity, believe=believe) if folder else _whole(model, identity))
    if not found:
        raise Incompatible("join.no_part", path=model.path)
    return found


def _check(model: ModelFile) -> None:
    refuse_unreadable(model)
    for name, tensor in model.items():
        if tensor.dtype.safetensors is None and not isinstance(tensor.dtype, BlockType):
            raise Incompatible("join.cannot_carry", path=model.path, name=name,
                               dtype=tensor.dtype.word)  # fmt: skip


def _recorded(model: ModelFile, identity: Identity) -> Offer | None:
    """Return the part that a split made, if it still is what its record says."""
    record = read_record(model.metadata)
    part = _part_of(record, identity) if record else None
    if record is None or not _tells_of(record, part):
        return None
    home = restored(model.tensors, part, record)
    if home is None:
        return None
    _check_whole(model, part)
    places = dict(zip(home, record.numbers(), strict=True))
    prefix = "" if part is None else part.prefix
    inside = model.keys() - record.names.keys() if part is None else set(part.names)
    beside = {full: home[full] for name, full in record.names.items() if name not in inside}
    own = {n.removeprefix(prefix): t for n, t in model.items()
           if n in inside or n not in record.names}  # fmt: skip
    return Offer(
        model=model, identity=identity, role=record.role, word=record.word, part=part,
        prefix=record.prefix, layout=record.layout, tensors=own, file_prefix=prefix, beside=beside,
        metadata=model.metadata, home=home, places=places, source=record.source,
        origin=record.parts or None, needs=record.needs or identity.needs, recorded=True,
    )  # fmt: skip


def _homeless(offer: Offer) -> Offer:
    """Return the part of a split as one of unknown origin; it still is what it was found to be."""
    inside = {offer.file_prefix + name for name in offer.tensors}
    beside = {name: one for name, one in offer.model.items() if name not in inside}
    return replace(offer, beside=beside, prefix="", layout=None, home=None, places={}, source=None,
                   origin=None, needs=offer.identity.needs, recorded=False)  # fmt: skip


def _part_of(record: Record, identity: Identity) -> Part | None:
    """Return the part that a record speaks of, as it was identified."""
    role = MODEL if record.role == EMA else record.role
    parts = [part for part in identity.parts if part.names]
    return parts[0] if len(parts) == 1 and parts[0].role == role else None


def _tells_of(record: Record, part: Part | None) -> bool:
    """Whether a record can be that of `part`: what it calls it is not for strangers to say."""
    if part is None:
        plain = not record.prefix and not record.names
        return plain and record.role == record.word == LEFTOVERS
    words = {part_word(part), *part.variant_candidates}
    return record.word in ({EMA} if record.role == EMA else words)


def _whole(model: ModelFile, identity: Identity) -> Iterator[Offer]:
    """Yield every part of a file, and what is left over in it."""
    apart = pieces(model, identity)
    for piece in apart.pieces:
        _check_whole(model, piece.part)
    yield from _lone(apart) if len(apart.pieces) == 1 else _at_home(apart)


def _lone(apart: Pieces) -> Iterator[Offer]:
    """Yield the one part of a file; what is left over beside it goes with it, if it has a use."""
    (piece,) = apart.pieces
    junk = _junk(apart)
    left = {name: one for name, one in apart.leftovers.items() if name not in junk}
    yield replace(_offer(piece, apart), beside={**piece.beside, **left}, left_out=junk)


def _at_home(apart: Pieces) -> Iterator[Offer]:
    """Yield the parts of a checkpoint, which can stay where they stand, and its leftovers."""
    model = apart.model
    places, source = {name: place for place, name in enumerate(model)}, source_id(model)
    origin = tuple(piece.word for piece in apart.pieces)
    for piece in apart.pieces:
        home = {piece.names[name]: tensor for name, tensor in piece.tensors.items()}
        yield replace(_offer(piece, apart), home={**home, **piece.beside}, places=places,
                      source=source, origin=origin)  # fmt: skip
    if apart.pieces and apart.leftovers:
        yield Offer(
            model=model, identity=apart.identity, role=LEFTOVERS, word=LEFTOVERS, part=None,
            prefix="", layout=None, tensors=apart.leftovers, home=apart.leftovers, places=places,
            source=source,
        )  # fmt: skip


def _offer(piece: Piece, apart: Pieces) -> Offer:
    return Offer(
        model=apart.model, identity=apart.identity, role=piece.role, word=piece.word,
        part=piece.part, prefix=piece.prefix, layout=piece.layout, tensors=piece.tensors,
        file_prefix=piece.prefix, beside=piece.beside, metadata=apart.model.metadata,
        needs=apart.identity.needs,
    )  # fmt: skip


def _junk(apart: Pieces) -> tuple[str, ...]:
    """Return what is left over beside a part and known to be of no use."""
    known = {name for group in apart.identity.junk for name in group.names}
    known |= set(apart.identity.ema.extra)
    return tuple(name for name in apart.leftovers if name in known)


def _folder(model: ModelFile, identity: Identity, *, believe: bool) -> Iterator[Offer]:
    """Yield every component of a diffusers folder, and what was left over when it was made."""
    found = list(returned(model, identity, believe=believe))
    origin = tuple(one.piece.word for one in found if one.piece is not None)
    for one in found:
        piece, record, home = one.piece, one.record, one.home
        if piece is not None:
            _check_whole(model, piece.part)
        yield Offer(
            model=model, identity=identity, role=piece.role if piece else LEFTOVERS,
            word=piece.word if piece else LEFTOVERS, part=piece.part if piece else None,
            prefix=record.prefix if record else "", layout=record.layout if record else None,
            tensors=one.tensors, home=home,
            metadata=metadata_of(model, piece.prefix.rstrip(".")) if piece else {},
            places=dict(zip(home or (), record.numbers() if record else (), strict=True)),
            source=record.source if record else None, origin=origin, needs=identity.needs,
            recorded=record is not None,
        )  # fmt: skip


def _check_whole(model: ModelFile, part: Part | None) -> None:
    """Refuse a part that lacks tensors, or has some of the wrong shape: it cannot be run."""
    bad = () if part is None else (*part.missing, *part.misshapen)
    if bad:
        raise Incomplete("join.part_broken", path=model.path, count=len(bad),
                         names=", ".join(bad[:3]))  # fmt: skip
