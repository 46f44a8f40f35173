"""Gaps in the numbering of a model whose key list is not known: was something taken out of it?

The blocks of a model are alike. Where block 7 lacks what blocks 6 and 8 have, either a tensor is
missing or the model is built so; then other tensors of that block are missing too, in the same
places. So a gap counts where no other tensor of the list shares it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NUMBER: Final = re.compile(r"(?<![^._])[0-9]{1,4}(?![^._])")
# A hostile name of nothing but numbers costs no more than this many look-ups.
_MAX_NUMBERS: Final = 6


def gaps(names: Iterable[str]) -> int:
    """Return how many names seem to be missing from the numbered lists that `names` form.

    A list is everything that differs in one number only: ``blocks.{n}.attn.qkv.weight``.
    """
    lists: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for name in names:
        for count, number in enumerate(_NUMBER.finditer(name)):
            if count == _MAX_NUMBERS:
                break
            lists[name[: number.start()]][name[number.end() :]].add(int(number[0]))
    return sum(map(_unshared, lists.values()))


def _unshared(tails: Mapping[str, set[int]]) -> int:
    """Count what single tails lack between their first and last number and others have."""
    if len(tails) < 2:
        return 0
    every = set().union(*tails.values())
    sets = {tail: frozenset(numbers) for tail, numbers in tails.items()}
    shared = Counter(sets.values())
    return sum(
        sum(numbers[0] < n < numbers[-1] for n in every - own)
        for own in sets.values()
        if shared[own] == 1 and len(own) < len(every) and (numbers := sorted(own))
    )
