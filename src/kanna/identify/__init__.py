"""ModelFile to Identity: what is this file, and how sure is that?

::

    identify ─ anatomy     the file taken apart, by names, shapes and dtypes alone
             │   ├ layouts       those that were taken apart before, for who looks at many files
             │   ├ beside        what stands beside the models: markers, junk, scales
             │   │   ├ quantization  how weights are packed, by what stands beside them
             │   │   └ marked        how each layer is, by what marker tensors hold
             │   ├ recognise     the models in it: proposed by a few names, verified by all
             │   ├ ema           the averaged copy of a model
             │   └ parts         whose every tensor is, and what each part is made of
             │       └ adapter       ranks, alphas, what it changes
             │           ├ modules       the layers of an adapter
             │           └ bases         the models that have such layers
             ├ verdict     the whole, judged by its tensors
             │   └ mixture       models that an unknown file comes close to
             ├ doubt       when not to be certain: shards, strangers, few anchors
             │   └ gaps          in the numbering of a model without a key list
             ├ settle      what tensors leave open: by the file's own hash, by metadata, by a peek
             │   ├ claims        what metadata says
             │   └ peek          a few small tensors, 4 KiB at most; position_ids among them
             ├ outcome     what follows: what the model predicts and needs, what its parts are
             └ evidence    the sentences that say how all this is known
                 └ likeness      what an unknown file looks like
    choose   the first row of a list that holds: a variant, a base, a prediction

A file name is never more than a hint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanna.families import title
from kanna.identify.anatomy import take_apart
from kanna.identify.beside import junk_groups
from kanna.identify.claims import claims
from kanna.identify.doubt import doubt
from kanna.identify.evidence import (
    tell_near,
    tell_open,
    tell_parts,
    tell_quantization,
)
from kanna.identify.mixture import closest, judge_mixture
from kanna.identify.outcome import needed, predict, with_adapters, with_context
from kanna.identify.peek import Peek
from kanna.identify.position_ids import read_position_ids
from kanna.identify.settle import hear, look, remember
from kanna.identify.verdict import judge
from kanna.identity import Identity

if TYPE_CHECKING:
    from kanna.identify.anatomy import Anatomy
    from kanna.identify.layouts import Layouts
    from kanna.identify.verdict import Verdict
    from kanna.identity import PositionIds, Prediction, Published
    from kanna.model import ModelFile

__all__ = ["identify"]


def identify(
    model: ModelFile, *, published: Published | None = None, layouts: Layouts | None = None
) -> Identity:
    """Return what `model` is, from its header and at most 4 KiB of small tensors.

    `published` is what is known of a file with this file's own hash, where that was computed.
    `layouts` remembers files of the same names and shapes, for who looks at many.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    budget = Peek()
    anatomy = layouts.take_apart(model, budget) if layouts else take_apart(model, budget)
    position_ids = read_position_ids(model, budget)
    verdict = _by_tensors(anatomy)
    doubt(verdict, anatomy, model)
    if published is not None:
        remember(verdict, published)
    said = claims(model.metadata)
    hear(verdict, said)
    peeked = look(verdict, model, budget)
    prediction = predict(verdict, anatomy.names, said, peeked)
    tell_open(verdict, model)
    return _identity(model, anatomy, verdict, position_ids, prediction, budget)


def _by_tensors(anatomy: Anatomy) -> Verdict:
    # A few models in a file that is mostly something else do not make the file theirs.
    verdict = judge(anatomy.parts if anatomy.mostly_known else [], anatomy.names)
    close = closest(anatomy.near, len(anatomy.names.shapes))
    judge_mixture(verdict, close)
    tell_parts(verdict, anatomy.found, anatomy.parts)
    tell_quantization(verdict, anatomy)
    if anatomy.copied is not None:
        verdict.tell("ema_only", what=title(anatomy.copied.architecture or "?"))
    tell_near(verdict, close, anatomy.names.shapes)
    return verdict


def _identity(
    model: ModelFile,
    anatomy: Anatomy,
    verdict: Verdict,
    position_ids: PositionIds,
    prediction: Prediction | None,
    budget: Peek,
) -> Identity:
    main, division, ema = verdict.main, anatomy.division, anatomy.ema
    parts = with_adapters(with_context(anatomy.parts, verdict), verdict, model, budget)
    return Identity(
        path=str(model.path),
        size=model.size,
        container=model.container,
        kind=verdict.kind,
        architecture=verdict.architecture,
        architecture_candidates=verdict.architectures,
        variant=verdict.variants[0] if len(verdict.variants) == 1 else None,
        variant_candidates=verdict.variants,
        certainty=verdict.certainty,
        certainties=verdict.certainties,
        layout=verdict.layout,
        prediction=prediction,
        dtype=main.dtype if main else None,
        quantization=main.quantization if main else None,
        parts=parts,
        ema=ema,
        position_ids=position_ids,
        junk=junk_groups(anatomy.beside.junk, {*division.owners, *ema.extra}, model),
        unrecognised=(*division.unrecognised, *ema.unmatched),
        needs=needed(verdict),
        markers=tuple(anatomy.beside.markers),
        metadata=model.metadata,
        evidence=tuple(verdict.evidence),
        tasks=verdict.tasks,
        resolution=verdict.family.resolution if verdict.family else None,
    )
