"""Which weights quantising leaves alone: patterns by family, from the tables' ``[quantize]``."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Final

from kanna.families import tables
from kanna.families.loading import load_pages

_WEIGHT: Final = ".weight"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What stays as it is: names that a pattern of `keep` fits, and weights below `smallest`.

    Programs tell the model by the shapes of `told_by_shape`, so these are not packed. Of text
    encoders only those with `large_encoder` parameters or more are quantised. `known` says that the
    patterns were made for the family, `in_forge` that Forge runs it.
    """

    keep: tuple[str, ...]
    told_by_shape: tuple[str, ...]
    smallest: int
    large_encoder: int
    known: bool
    in_forge: bool

    def takes(self, name: str, shape: tuple[int, ...], numel: int, *, packed: bool = False) -> bool:
        """Whether the weight `name`, less its part's prefix, is to be quantised, or even packed."""
        weighs = name.endswith(_WEIGHT) and len(shape) > 1 and numel > self.smallest
        keep = (*self.keep, *self.told_by_shape) if packed else self.keep
        return weighs and not any(fits(name, pattern) for pattern in keep)


def fits(name: str, pattern: str) -> bool:
    """Whether `pattern` is `name` or its beginning up to a dot; ``*`` stands for any letters."""
    return fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*")


@cache
def policy_of(architecture: str | None) -> Policy:
    """Return the policy of a family, or the one for all where it has none.

    Raises:
        FormatError: a user's table cannot be read, or something in it is wrong.
    """
    rows = load_pages(tables()["stamp"])["quantize"]
    common, own = rows["everywhere"], rows.get(architecture)
    keep = common["keep"] if own is None else own["keep"]
    return Policy(
        keep=(*common["always"], *keep), told_by_shape=tuple(common["told_by_shape"]),
        smallest=common["smallest"], large_encoder=common["large_encoder"],
        known=own is not None, in_forge=architecture in common["forge"],
    )  # fmt: skip
