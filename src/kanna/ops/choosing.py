"""Which of the parts that are offered go into a join: one of each kind that fits the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kanna.errors import Incompatible, Incomplete, UnknownModel
from kanna.families import family, title
from kanna.families.joined import Arrangement, arrangement, vae_fits
from kanna.families.needs import may_need
from kanna.families.places import places
from kanna.messages import say
from kanna.model import ModelFile, Note
from kanna.ops.joining import Offer
from kanna.ops.parts import EMA, LEFTOVERS, MODEL

_RIDERS: Final = {EMA, LEFTOVERS, "conditioning"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """The parts of a join, one of each kind, of which the diffusion model `lead` comes first.

    `replaced` are the parts of a checkpoint whose places others took, by word. `home` stands for
    the file whose parts go back to where they stood. `needs` are the words of the parts that the
    model asks for, `origin` those of the file that it comes from, where that is known.
    """

    architecture: str
    arrangement: Arrangement
    lead: Offer
    taken: tuple[Offer, ...]
    replaced: Mapping[str, Offer]
    home: str | None
    needs: tuple[str, ...]
    origin: tuple[str, ...] | None
    notes: tuple[Note, ...]

    @property
    def lacking(self) -> tuple[str, ...]:
        """The words of the parts that are needed and not there."""
        there = {offer.word for offer in self.taken}
        return tuple(word for word in self.needs if word not in there)

    @property
    def missing(self) -> tuple[str, ...]:
        """Those of them that the model had where it comes from, as far as that is known."""
        known = self.origin
        return tuple(word for word in self.lacking if known is None or word in known)


def choose(offered: Sequence[Offer], architecture: str | None) -> Choice:
    """Return one part of each kind, `architecture` being what the model is where that is open.

    Raises:
        Incomplete: there is no diffusion model.
        Incompatible: two inputs bring the same part, or one is not made for the model.
        UnknownModel: it is not known what the model is, or where its parts stand.
    """
    base = _checkpoint(offered)
    lead = _leading(offered, base)
    word = _architecture(lead, architecture)
    whole = arrangement(word)
    if whole is None:
        raise UnknownModel("join.no_arrangement", path=lead.model.path, architecture=title(word))
    needs = _needs(lead, word)
    named = [_named(offer, needs) for offer in offered]
    notes: list[Note] = []
    taken, replaced = _one_of_each(named, base, notes)
    lead = next(offer for offer in taken if offer.word == MODEL)
    for offer in taken:
        _check_fits(offer, word, whole, needs, at_home=_stays(offer, lead, base))
        notes.extend(_doubts(offer, word, lead, base))
        if offer.left_out:
            told = {"name": offer.model.path.name, "count": len(offer.left_out)}
            names = ", ".join(offer.left_out[:3])
            notes.append(Note("join.junk_left_out", {**told, "names": names}, warning=False))
    whole_file = next((o for o in offered if o.model is base and o.source is not None), lead)
    return Choice(
        architecture=word, arrangement=whole, lead=lead, taken=tuple(taken), replaced=replaced,
        home=whole_file.source, needs=needs, origin=whole_file.origin, notes=tuple(notes),
    )  # fmt: skip


def _checkpoint(offered: Sequence[Offer]) -> ModelFile | None:
    """Return the input that is a diffusion model with other parts, if there is one.

    Raises:
        Incompatible: there are two.
    """
    counts = {id(offer.model): 0 for offer in offered}
    for offer in offered:
        counts[id(offer.model)] += 1
    found = [o.model for o in offered if o.word == MODEL and counts[id(o.model)] > 1]
    if len(found) > 1:
        raise Incompatible("join.two_checkpoints", path=found[1].path, other=found[0].path.name)
    return found[0] if found else None


def _leading(offered: Sequence[Offer], base: ModelFile | None) -> Offer:
    models = [offer for offer in offered if offer.word == MODEL]
    if not models:
        raise Incomplete("join.no_model", path=offered[0].model.path if offered else None)
    return next((offer for offer in models if offer.model is not base), models[0])


def _architecture(lead: Offer, asked: str | None) -> str:
    """Return the architecture of the diffusion model.

    Raises:
        UnknownModel: it is open, and nobody says which.
        Incompatible: it is not the one that was asked for.
    """
    part, identity = lead.part, lead.identity
    known = part.architecture if part else None
    candidates = (part.architecture_candidates if part else ()) or identity.architecture_candidates
    if asked is not None:
        if asked not in ((known,) if known else candidates):
            names = ", ".join((known,) if known else candidates) or "?"
            raise Incompatible("join.other_architecture", path=lead.model.path, asked=asked,
                               found=names)  # fmt: skip
        return asked
    if known is None:
        raise UnknownModel("join.architecture_open", path=lead.model.path,
                           candidates=", ".join(candidates) or "?")  # fmt: skip
    return known


def _needs(lead: Offer, architecture: str) -> tuple[str, ...]:
    """Return the parts that the model asks for; a record may say so if models like it do."""
    own = lead.needs if lead.identity.architecture == architecture else None
    if own and (not lead.recorded or may_need(architecture, own)):
        return own
    known = family(architecture)
    return known.needs if known else ()


def _named(offer: Offer, needs: Sequence[str]) -> Offer:
    """Return an offer by the one word that it can have here, where its header leaves it open."""
    part = offer.part
    if offer.role != "text_encoder" or part is None or part.variant is not None:
        return offer
    fitting = [word for word in part.variant_candidates if word in needs]
    return replace(offer, word=fitting[0]) if len(fitting) == 1 else offer


def _one_of_each(
    offered: Sequence[Offer], base: ModelFile | None, notes: list[Note]
) -> tuple[list[Offer], dict[str, Offer]]:
    """Return the parts that go in, and those of the checkpoint that they replace.

    Raises:
        Incompatible: two inputs bring the same part.
    """
    taken: dict[str, Offer] = {}
    replaced: dict[str, Offer] = {}
    ours = [offer for offer in offered if offer.model is base]
    for offer in [*ours, *(offer for offer in offered if offer.model is not base)]:
        old = taken.get(offer.word)
        if old is not None and old.model is not base:
            raise Incompatible("join.twice", path=offer.model.path, part=title_of(offer),
                               other=old.model.path.name)  # fmt: skip
        if old is not None:
            replaced[offer.word] = old
            told = {"part": title_of(offer), "name": offer.model.path.name}
            notes.append(Note("join.replaced", told, warning=False))
        taken[offer.word] = offer
    if MODEL in replaced and EMA in taken and taken[EMA].model is base:
        replaced[EMA] = taken.pop(EMA)
        notes.append(Note("join.ema_left_out", {"name": replaced[EMA].model.path.name}))
    return list(taken.values()), replaced


def _stays(offer: Offer, lead: Offer, base: ModelFile | None) -> bool:
    """Whether a part stays in the checkpoint that it came with, whose model is the same."""
    if offer.model is not base:
        return False
    same = {lead.identity.architecture, lead.part.architecture if lead.part else None}
    return offer.identity.architecture in same


def _check_fits(
    offer: Offer, architecture: str, whole: Arrangement, needs: Sequence[str], *, at_home: bool
) -> None:
    """Refuse a part that the model has no use for.

    Raises:
        Incompatible: it is for another one.
    """
    if offer.word == MODEL or offer.role in _RIDERS or at_home:
        return
    wanted = any(seat.word == offer.word for seat in whole.seats) or offer.word in needs
    if not wanted or whole.seat(offer.word, offer.role) is None:
        words = ", ".join(map(_title_of_word, needs))
        raise Incompatible("join.not_for_it", path=offer.model.path, part=title_of(offer),
                           ours=title(architecture), needs=words)  # fmt: skip
    known = family(architecture)
    if offer.role == "vae" and known is not None and known.vae is not None:
        theirs = _architectures(offer)
        if theirs and not any(vae_fits(one, known.vae) for one in theirs):
            raise Incompatible(
                "join.other_vae", path=offer.model.path, ours=title(known.vae),
                model=title(architecture), theirs=", ".join(map(title, theirs)),
            )  # fmt: skip


def _doubts(offer: Offer, architecture: str, lead: Offer, base: ModelFile | None) -> Iterator[Note]:
    """Yield a note where the header leaves open whether a VAE is the right one."""
    theirs = _architectures(offer)
    known = offer.model is base or (offer.source is not None and offer.source == lead.source)
    if offer.role == "vae" and not known and len(theirs) > 1:
        yield Note("convert.vae_of_either", {
            "name": offer.model.path.name, "ours": title(_vae_of(architecture)),
            "theirs": " / ".join(map(title, theirs)),
        }, warning=False)  # fmt: skip


def _vae_of(architecture: str) -> str:
    """Return the architecture whose VAE such models take."""
    known = family(architecture)
    return known.vae or architecture if known else architecture


def _architectures(offer: Offer) -> tuple[str, ...]:
    part = offer.part
    if part is None:
        return ()
    return (part.architecture,) if part.architecture else part.architecture_candidates


def title_of(offer: Offer) -> str:
    """Return what people call a part."""
    if offer.role == "text_encoder":
        return _title_of_word(offer.word)
    return say(f"inspect.part_{offer.role}") if offer.role != LEFTOVERS else say("split.leftovers")


def _title_of_word(word: str) -> str:
    if word == "vae":
        return say("inspect.part_vae")
    return next((place.title for place in places(word)), word)
