"""ModelFile to Identity: what is this file, and how sure is that?

One pass sorts out what stands beside the models (`beside`), one finds the models (`recognise`), one
gives every tensor to its part (`parts`). Then the file as a whole is judged (`verdict`): first by
tensors, then by metadata (`claims`), then, where the tables allow it, by a few numbers (`peek`). A
file name is never more than a hint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kanna.families import family, tables
from kanna.families.keys import packed
from kanna.identify.beside import Beside, junk_groups, sort_out
from kanna.identify.choose import Names
from kanna.identify.claims import claims
from kanna.identify.ema import find_ema
from kanna.identify.evidence import tell_near, tell_open, tell_parts
from kanna.identify.parts import absent_part, divide, lone_embedding, part_of
from kanna.identify.peek import LIMIT, Peek
from kanna.identify.position_ids import read_position_ids
from kanna.identify.recognise import recognise
from kanna.identify.verdict import hear, judge, lacking, look, needed, predict, with_context
from kanna.identity import Identity

if TYPE_CHECKING:
    from kanna.families.keys import Shape
    from kanna.model import ModelFile

__all__ = ["identify"]


def identify(model: ModelFile, *, peek: bool = True) -> Identity:
    """Return what `model` is, from its header and at most 4 KiB of small tensors.

    With `peek` off no tensor data is read at all.

    Raises:
        FormatError: the file does not hold what its header says.
    """
    beside = sort_out(model)
    shapes = _shapes(model, beside)
    found, near = recognise(shapes, beside.names)
    ema, copied = find_ema(model, found)
    if copied is not None:
        shapes.update({name: shapes[copy] for name, copy in ema.pairs.items()})
    names = Names(shapes)
    division = divide(model, found, beside)
    parts = [
        part_of(one, owned, model, names, beside)
        for one, owned in zip(found, division.owned, strict=True)
    ]
    if copied is not None:
        parts.append(absent_part(copied, ema))
    if not parts and (lone := lone_embedding(model, names)):
        parts, division.unrecognised = [lone], []

    # A few models in a file that is mostly something else do not make the file theirs.
    mostly_known = 2 * len(division.unrecognised) <= len(model)
    verdict = judge(parts if mostly_known else [], names)
    tell_parts(verdict, found, parts)
    if copied is not None:
        verdict.tell("ema_only", what=copied.architecture)
    tell_near(verdict, near, shapes)
    said = claims(model.metadata)
    hear(verdict, said)
    budget = Peek(LIMIT if peek else 0)
    position_ids = read_position_ids(model, budget)
    peeked = look(verdict, model, budget)
    prediction = predict(verdict, names, said, peeked)
    tell_open(verdict, model)
    settled = with_context(parts, verdict)

    main = verdict.main
    known = family(verdict.architecture or "") if verdict.diffusion else None
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
        layout=verdict.layout,
        prediction=prediction,
        dtype=main.dtype if main else None,
        quantization=main.quantization if main else None,
        parts=settled,
        ema=ema,
        position_ids=position_ids,
        junk=junk_groups(beside.junk, {*division.owners, *ema.extra}, model),
        unrecognised=(*division.unrecognised, *ema.unmatched),
        missing_parts=lacking(needed(verdict), settled),
        markers=tuple(beside.markers),
        metadata=model.metadata,
        evidence=tuple(verdict.evidence),
        tasks=(verdict.row.tasks if verdict.row else ()) or (known.tasks if known else ()),
        resolution=known.resolution if known else None,
    )


def _shapes(model: ModelFile, beside: Beside) -> dict[str, Shape]:
    """Return the shape of every tensor; that of a packed weight is only known by its size."""
    shapes = {name: tensor.shape for name, tensor in model.items()}
    endings = {
        row["name"]: row["packed"]
        for row in tables()["everywhere"]["quantization"]
        if "packed" in row
    }
    for scale, scheme in beside.scales.items():
        weight = scale.removesuffix(endings.get(scheme, scale))
        if weight in shapes and model[weight].dtype.kind == "int":
            shapes[weight] = packed(2 * model[weight].numel)
    return shapes
