"""The averaged weights that training keeps: drop them, or put them in the model's place."""

from __future__ import annotations

from collections.abc import Mapping

from kanna.errors import Incomplete
from kanna.messages import size_text
from kanna.model import ModelFile, TensorInfo
from kanna.ops.draft import Draft
from kanna.plan import Output

_CHUNK = 1 << 22


def drop(draft: Draft) -> None:
    """Leave the EMA out.

    Raises:
        Incomplete: the model without its EMA is not whole, and the EMA is.
    """
    ema = draft.identity.ema
    if not ema.present:
        return
    if only_complete_model(draft):
        raise Incomplete("convert.ema_is_the_model", path=draft.model.path)
    saved = draft.remove([*ema.pairs.values(), *ema.extra])
    draft.done["ema"] = "dropped"
    draft.note("convert.ema_dropped", count=len(ema.pairs), size=size_text(saved))
    if ema.unmatched:
        draft.note("convert.ema_unmatched", warning=True, count=len(ema.unmatched),
                   name=ema.unmatched[0])  # fmt: skip


def use(draft: Draft) -> None:
    """Put the EMA weights, bit for bit, in the place of the model's, and drop the set's counters.

    Raises:
        Incomplete: there is no EMA, or it lacks weights that the model has.
    """
    ema = draft.identity.ema
    path = draft.model.path
    if not ema.present:
        raise Incomplete("convert.ema_absent", path=path)
    if not ema.complete:
        raise Incomplete("convert.ema_incomplete", path=path, count=len(ema.missing),
                         names=", ".join(ema.missing[:5]))  # fmt: skip
    for name, ema_name in ema.pairs.items():
        draft.put(Output.of(draft.model[ema_name], name=name), "diffusion_model")
    draft.remove([*ema.pairs.values(), *ema.extra])
    draft.done["ema"] = "used"
    draft.tags.append("ema")
    draft.note("convert.ema_used", count=len(ema.pairs))


def only_complete_model(draft: Draft) -> bool:
    """Whether the EMA is whole and the model beside it is not."""
    part = draft.identity.part("diffusion_model")
    return bool(draft.identity.ema.complete) and (part is None or part.complete is False)


def equal_to_model(model: ModelFile, pairs: Mapping[str, str]) -> bool:
    """Compare the EMA with the model, streaming; False at the first byte that differs.

    `pairs` maps model names to EMA names. Tensors of different dtype or shape count as different.
    """
    for file in model.files:
        file.will_stream()
    for name, ema_name in pairs.items():
        one, other = model.get(name), model[ema_name]
        if one is None or (one.dtype, one.shape) != (other.dtype, other.shape):
            return False
        if not _same_bytes(one, other):
            return False
    return True


def _same_bytes(one: TensorInfo, other: TensorInfo) -> bool:
    # pieces are cut alike only where both tensors can be read in pieces
    size = one.nbytes if one.data.whole or other.data.whole else _CHUNK
    pairs = zip(one.pieces(size), other.pieces(size), strict=True)
    return all(a == b for a, b in pairs)
