"""Puts the parts of a join in their places: under which prefix, in which layout, in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kanna.errors import Incompatible
from kanna.families.joined import Seat, top_markers
from kanna.identify.ema import copy_name
from kanna.model import TensorInfo
from kanna.ops.choosing import Choice, title_of
from kanna.ops.joining import Offer
from kanna.ops.part_record import in_layout
from kanna.ops.parts import EMA, LEFTOVERS, MODEL, is_tokenizer
from kanna.views import reshaped

_LAST: Final = (EMA, LEFTOVERS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placed:
    """A part by the full names that it gets, most of them under `prefix`, in `layout`."""

    offer: Offer
    tensors: Mapping[str, TensorInfo]
    prefix: str
    layout: str | None


class Seating:
    """Knows the place of every part of a choice, as a program wants it, or as it was."""

    def __init__(self, choice: Choice, program: str | None) -> None:
        """Begin; without a `program` what was cut out of one file goes back to where it stood."""
        self.choice, self._program = choice, program

    def placed(self) -> list[Placed]:
        """Return all parts in their places, in the usual order.

        Raises:
            Incompatible: a part cannot be brought into the layout that its place asks for.
        """
        choice = self.choice
        lead = self._place(choice.lead)
        others = [offer for offer in choice.taken if offer is not choice.lead]
        copies = [self._copy(offer, lead) for offer in others if offer.word == EMA]
        placed = [lead, *copies, *(self._place(o) for o in others if o.word != EMA)]
        words = [seat.word for seat in choice.arrangement.seats]
        usual = [*words, *(word for word in choice.needs if word not in words)]
        return sorted(placed, key=lambda one: _position(one.offer.word, usual))

    def ranks(self) -> dict[str, int]:
        """Return the place that names had in the file whose parts go back to where they stood."""
        home = self.choice.home
        every = (*self.choice.taken, *self.choice.replaced.values())
        ours = [offer for offer in every if home is not None and offer.source == home]
        return {name: place for offer in ours for name, place in offer.places.items()}

    def _place(self, offer: Offer) -> Placed:
        if self._stays(offer) and offer.home is not None:
            return Placed(offer=offer, tensors=offer.home, prefix=offer.prefix, layout=offer.layout)
        seat, named = self._seat(offer), dict(offer.beside)
        if seat is None:  # of no known place: every name as it is
            tensors = {**offer.tensors, **named}
            return Placed(offer=offer, tensors=tensors, prefix="", layout=offer.layout)
        turned, layout = _laid_out(offer, seat.layouts)
        for name, tensor in turned.items():
            full = _full_name(name, seat, offer.role)
            named[full] = self._shaped(full, tensor, offer.word)
        return Placed(offer=offer, tensors=named, prefix=seat.prefix, layout=layout)

    def _copy(self, offer: Offer, lead: Placed) -> Placed:
        """Return the averaged copy under the names that go with the model's."""
        if self._stays(offer) and offer.home is not None:
            return self._place(offer)
        tensors, layout = _laid_out(offer, (lead.layout,) if lead.layout else ())
        named = {copy_name(lead.prefix + name): tensor for name, tensor in tensors.items()}
        return Placed(offer=offer, tensors=named, prefix=lead.prefix, layout=layout)

    def _stays(self, offer: Offer) -> bool:
        """Whether a part goes back to where it stood."""
        if offer.home is None or offer.source != self.choice.home:
            return False
        seat = self.choice.arrangement.seat(offer.word, offer.role)
        if self._program is None or seat is None:
            return True
        known = not seat.layouts or offer.layout in seat.layouts
        return offer.prefix == seat.prefix and known

    def _seat(self, offer: Offer) -> Seat | None:
        """Return the place of a part: that of the one which it replaces, or the usual one."""
        seat = self.choice.arrangement.seat(offer.word, offer.role)
        old = self.choice.replaced.get(offer.word)
        if seat is None or old is None or not self._stays(old):
            return seat
        layouts = tuple(dict.fromkeys((old.layout, *seat.layouts) if old.layout else seat.layouts))
        return Seat(word=seat.word, prefix=old.prefix, layouts=layouts, tokenizer=seat.tokenizer)

    def _shaped(self, name: str, tensor: TensorInfo, word: str) -> TensorInfo:
        """Return a tensor in the shape of the one that it replaces, where only that differs."""
        old = self.choice.replaced.get(word)
        before = (old.home or {}).get(name) if old is not None else None
        if before is None or before.shape == tensor.shape or before.numel != tensor.numel:
            return tensor
        return reshaped(tensor, before.shape)


def _position(word: str, usual: Sequence[str]) -> int:
    if word in usual:
        return usual.index(word)
    return len(usual) + (1 + _LAST.index(word) if word in _LAST else 0)


def _laid_out(offer: Offer, layouts: Sequence[str]) -> tuple[Mapping[str, TensorInfo], str | None]:
    """Return the tensors of a part in one of `layouts`: as they are, or in the first that they fit.

    Raises:
        Incompatible: there is none.
    """
    part = offer.part
    if part is None or part.layout is None or not layouts or part.layout in layouts:
        return offer.tensors, part.layout if part else None
    for layout in layouts:
        turned = in_layout(offer.tensors, part, layout)
        if turned is not None:
            return turned, layout
    raise Incompatible("join.layout", path=offer.model.path, part=title_of(offer),
                       layout=part.layout, wanted=", ".join(layouts))  # fmt: skip


def _full_name(name: str, seat: Seat, role: str) -> str:
    if role == MODEL and name in top_markers():
        return name
    if role == "text_encoder" and is_tokenizer(name):
        return seat.tokenizer + name
    return seat.prefix + name
