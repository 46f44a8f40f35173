"""Which model an adapter was made for: every module votes for the models that have its layer."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kanna.families import family, tables
from kanna.families.layers import bases, layers, template

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kanna.families.layers import Base, Layer
    from kanna.identify.modules import Module

_DIFFUSION: Final = "diffusion_model"
_ENCODER: Final = "text_encoder"
# A file of more models than this is rubbish however it is told.
_MOST_MODELS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What the modules of an adapter say.

    `architectures` are all that they fit, `words` the same with variants; `touches` are the parts
    that the adapter changes: ``diffusion_model`` and words of text encoders. `fitting` of `asked`
    modules fit the best of them; `mixed` says that these are fewer than nine in ten.
    """

    architectures: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    fitting: int = 0
    asked: int = 0
    mixed: bool = False


class _Votes:
    """The votes of modules on parts with `role`."""

    def __init__(self, modules: Iterable[Module], role: str) -> None:
        self.sized = 0
        self.voters: list[frozenset[Base]] = []
        self._layers: dict[str, list[Layer]] = {}
        sized: dict[tuple[str, int | None, int | None], list[Layer]] = {}
        for module in modules:
            path, numbers = template(module.path)
            sizes = module.sizes
            self.sized += bool(sizes.out or sizes.into)
            if path not in self._layers:
                self._layers[path] = [one for one in layers(path) if one.base.role == role]
            if not self._layers[path]:
                continue
            key = path, sizes.out, sizes.into
            if key not in sized:
                wide = (one for one in self._layers[path] if one.sized(sizes.out, sizes.into))
                sized[key] = list(wide)
            self.voters.append(frozenset(one.base for one in sized[key] if one.has(numbers)))

    @property
    def enough(self) -> bool:
        """Whether the tables know at least half of the modules."""
        return bool(self.voters) and 2 * len(self.voters) >= self.sized

    def best(self, voters: Sequence[frozenset[Base]]) -> tuple[list[Base], int]:
        """Return the bases that most of `voters` fit, and how many do."""
        count = Counter(base for fitting in voters for base in fitting)
        most = max(count.values(), default=0)
        tied = [base for base in bases() if count[base] == most > 0]
        whole = [base for base in tied if self._available(base) == most]
        return whole or tied, most

    def _available(self, base: Base) -> int:
        """How many layers of the templates in question the base has."""
        every = (layer for found in self._layers.values() for layer in found)
        return sum(layer.many for layer in every if layer.base is base)


def vote(modules: Sequence[Module]) -> Vote:
    """Return the models that `modules` fit, and the parts of them that they touch."""
    encoders = _encoders([m for m in modules if m.reach and m.reach != _DIFFUSION])
    diffusion = [m for m in modules if m.reach in {None, _DIFFUSION}]
    touches = (*((_DIFFUSION,) if diffusion else ()), *encoders)
    if not diffusion:
        found = _by_encoders(encoders)
        return Vote(architectures=found, words=found, touches=touches)
    votes = _Votes(diffusion, _DIFFUSION)
    if not votes.enough:
        return Vote(touches=touches, asked=len(votes.voters))
    winners, most = votes.best(votes.voters)
    asked = len(votes.voters)
    mixed = 10 * most < 9 * asked
    if mixed:
        winners = _cover(votes)
    winners = _with_encoders(_likelier(winners), encoders)
    return Vote(
        architectures=_unique(word for base in winners for word in base.architectures),
        words=_words(winners),
        touches=touches,
        fitting=most,
        asked=asked,
        mixed=mixed,
    )


def _cover(votes: _Votes) -> list[Base]:
    """Return the bases of a mixture: the best, the best of what is left, and so on."""
    found: list[Base] = []
    left = votes.voters
    for _ in range(_MOST_MODELS):
        winners, most = votes.best(left)
        if 10 * most < len(votes.voters) or not winners:
            break
        found.append(winners[0])
        left = [fitting for fitting in left if winners[0] not in fitting]
    return found


def _encoders(modules: Sequence[Module]) -> tuple[str, ...]:
    """Return the words of the text encoders that `modules` belong to, one for each beginning."""
    found = []
    for reach in dict.fromkeys(module.reach for module in modules):
        votes = _Votes([m for m in modules if m.reach == reach], _ENCODER)
        winners, _ = votes.best(votes.voters)
        words = _unique(word for base in winners for word in base.variants)
        found.append(words[0] if votes.enough and len(words) == 1 else _ENCODER)
    return _unique(found)


def _by_encoders(encoders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the models that have exactly these text encoders to train."""
    rows = tables()["families"]["lora"]["encoder_bases"]
    return next((tuple(r["candidates"]) for r in rows if set(r["encoders"]) == set(encoders)), ())


def _words(winners: list[Base]) -> tuple[str, ...]:
    """Return the words of all; a key list has none where a row that knows variants fits as well."""
    told = {word for base in winners if base.written for word in base.architectures}
    return _unique(
        word
        for base in winners
        if base.written or not told & set(base.architectures)
        for word in base.words
    )


def _likelier(winners: list[Base]) -> list[Base]:
    """Leave out models that yield to another one that fits as well."""
    there = {word for base in winners for word in base.architectures}
    yielding = {one for one, other in tables()["families"]["lora"]["yields"] if other in there}
    return [base for base in winners if not yielding & set(base.architectures)]


def _with_encoders(winners: list[Base], encoders: tuple[str, ...]) -> list[Base]:
    """Leave out models that lack a text encoder that the adapter changes."""
    asked = set(encoders) - {_ENCODER}
    able = [
        base
        for base in winners
        if any((one := family(word)) and asked <= set(one.needs) for word in base.architectures)
    ]
    return able or winners


def _unique(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))
