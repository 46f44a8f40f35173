"""When not to be certain: a verdict may rest on what the file lacks, and files lose tensors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kanna.identify.gaps import gaps

if TYPE_CHECKING:
    from kanna.identify.anatomy import Anatomy
    from kanna.identify.verdict import Verdict
    from kanna.model import ModelFile

# Fewer telling tensors than this do not make certain: any stranger may have one by chance.
_ENOUGH: Final = 2
_MANY: Final = 12
_SHARD: Final = re.compile(r"-([0-9]{5})-of-([0-9]{5})\.")


def doubt(verdict: Verdict, anatomy: Anatomy, model: ModelFile) -> None:
    """Doubt the verdict on a shard, and on a model without key list that has gaps or few anchors.

    A whole file may be known by what it lacks; a shard or a damaged file may lack anything.
    """
    if verdict.main is None:
        return
    shard = _SHARD.search(model.path.name)
    if shard and model.container == "safetensors":
        verdict.doubtful = True
        verdict.tell("shard", number=int(shard[1]), count=int(shard[2]))
    if verdict.main.complete is not None:
        # More than the model is made of: another model may have been built upon it.
        count = len(verdict.main.unexpected)
        if count >= _MANY and 20 * count > verdict.main.tensors:
            verdict.doubtful = True
            verdict.tell("built_upon", count=count)
        return
    if count := gaps(verdict.main.names):
        verdict.doubtful = True
        verdict.tell("gaps", count=count)
    elif anatomy.anchors(verdict.main) < min(_ENOUGH, len(verdict.main.names)):
        verdict.doubtful = True
