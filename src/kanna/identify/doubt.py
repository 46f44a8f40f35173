"""When not to be certain: a verdict may rest on what the file lacks, and files lose tensors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kanna.families import row_called

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kanna.identify.anatomy import Anatomy
    from kanna.identify.verdict import Verdict
    from kanna.identity import Part
    from kanna.model import ModelFile

# Fewer telling tensors than this do not make certain: any stranger may have one by chance.
_ENOUGH: Final = 2
# So many tensors that no table knows, and more than one in so many, are a model of their own.
_MANY: Final = 12
_SHARE: Final = 20
_SHARE_BESIDE: Final = 4
_SHARD: Final = re.compile(r"-([0-9]{5})-of-([0-9]{5})\.")


def doubt(verdict: Verdict, anatomy: Anatomy, model: ModelFile) -> None:
    """Doubt the verdict on a shard, on what another model stands on, and on thin evidence.

    A whole file may be known by what it lacks; a shard or a damaged file may lack anything. A row
    without key list is doubted where the numbering has gaps, where its names or its widths are
    those of no model that the tables know, or where few anchors speak for it.
    """
    main = verdict.main
    if main is None:
        return
    shard = _SHARD.search(model.path.name)
    if shard and model.container == "safetensors":
        verdict.doubtful = True
        verdict.tell("shard", number=int(shard[1]), count=int(shard[2]))
    strangers = len(anatomy.division.unrecognised) - len(main.unexpected)
    listed = main.complete is not None
    if _many(strangers, main.tensors, _SHARE_BESIDE if listed else _SHARE):
        verdict.doubtful = True
        verdict.tell("much_unknown", count=strangers)
    if listed:
        # More than the model is made of: another model may have been built upon it.
        _built_upon(verdict, main, len(main.unexpected))
    else:
        _doubt_signature(verdict, main, anatomy)


def _doubt_signature(verdict: Verdict, main: Part, anatomy: Anatomy) -> None:
    row = row_called(main.component)
    if row.widths:
        verdict.doubtful = True
        verdict.tell("by_width")
    if count := anatomy.gaps(main):
        verdict.doubtful = True
        verdict.tell("gaps", count=count)
    elif anatomy.anchors(main) < min(_ENOUGH, len(main.names)):
        verdict.doubtful = True
    if row.variant_choices and not main.variant_candidates:
        verdict.doubtful = True
        verdict.tell("other_widths")
    if row.words:
        beside = anatomy.beside.names
        own = (name.removeprefix(main.prefix) for name in main.names if name not in beside)
        _built_upon(verdict, main, _strange(own, row.words))


def _built_upon(verdict: Verdict, main: Part, count: int) -> None:
    if _many(count, main.tensors, _SHARE):
        verdict.doubtful = True
        verdict.tell("built_upon", count=count)


def _strange(names: Iterable[str], words: frozenset[str]) -> int:
    """Count the names with a piece that is no number and none of `words`, their ends aside."""
    return sum(
        not words.issuperset(piece for piece in name.split(".")[:-1] if not piece.isdecimal())
        for name in names
    )


def _many(count: int, tensors: int, share: int) -> bool:
    return count >= _MANY and share * count > tensors
