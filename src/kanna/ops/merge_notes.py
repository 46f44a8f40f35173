"""What merges elsewhere do silently, told: parts that stay, tensors left out, what was decoded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kanna.identity import Part
from kanna.merging.provenance import told_name
from kanna.merging.recipe import Recipe
from kanna.messages import say
from kanna.model import Note
from kanna.ops.convert import tell_decoded
from kanna.ops.merge_checks import MODEL, Wide
from kanna.ops.merge_gather import Gathered, Met
from kanna.ops.merge_inputs import Opened
from kanna.ops.merge_scope import vae_is_merged


def tell(models: Gathered, recipe: Recipe, sources: Mapping[str, Opened]) -> None:
    """Tell the reader of the plan what becomes of all that is not simply merged."""
    draft, lead = models.draft, models.lead.model.path.name
    if not models.lead.identity.parts:
        draft.note("merge.unknown", warning=True, lead=lead)
    tell_decoded(draft, models.decoded)
    if models.halves:
        words = {dtype.word for dtype in models.halves.values()}
        draft.note("merge.halved", count=len(models.halves), dtype=", ".join(sorted(words)))
    draft.notes += [*_same_files(sources), *_notes_on_ema(models, recipe)]
    draft.notes += _note_on_predictions(models)
    for met in models.others.values():
        draft.notes += _notes_on(met, models, lead)
    draft.notes += _note_on_channels(models, lead)
    if not vae_is_merged(models.lead.identity, recipe) and recipe.output.vae not in sources:
        draft.notes += _notes_on_vae(models, lead)


def _notes_on(met: Met, models: Gathered, lead: str) -> Iterator[Note]:
    """Yield what is to be said of one model beside the leading one."""
    told: dict[str, object] = {"name": met.opened.model.path.name, "lead": lead}
    for part in met.decoded:
        values = {"part": _title(part), "scheme": part.quantization or part.dtype or "?"}
        yield Note("merge.decoded", {**told, **values}, warning=False)
    ours, theirs = _parts(models.lead, met), _parts(met.opened, met)
    for key, parts in (("merge.part_of_lead", ours), ("merge.part_left_out", theirs)):
        if parts:
            yield Note(key, {**told, "parts": ", ".join(map(_title, parts))}, warning=False)
    inside = {name for pair in met.found.pairs for name in pair.lead.names}
    lacking = [n for n in models.scope.merged if n in inside and n not in met.found.tensors]
    for key, names in (("merge.lacks", lacking), ("merge.strangers", met.found.strangers)):
        if names:
            yield Note(key, {**told, "count": len(names), "example": names[0]})


def _note_on_predictions(models: Gathered) -> Iterator[Note]:
    """Yield which of several diffusion models may predict other things than the others."""
    several = [models.lead, *(met.opened for met in models.others.values() if _has_model(met))]
    unknown = [one.model.path.name for one in several if one.identity.prediction is None]
    if len(several) > 1 and unknown and models.lead.identity.architecture:
        yield Note("merge.prediction_unknown", {"names": ", ".join(dict.fromkeys(unknown))})


def _has_model(met: Met) -> bool:
    return any(pair.lead.role == MODEL for pair in met.found.pairs)


def _note_on_channels(models: Gathered, lead: str) -> Iterator[Note]:
    """Yield which channels of the first layer are merged, if not all are."""
    wide = min((met.wide for met in models.others.values() if met.wide), key=_merged, default=None)
    if wide is not None:
        values = {"tensor": wide.name, "merged": wide.merged, "count": wide.channels, "lead": lead}
        yield Note("merge.wide", values, warning=False)


def _merged(wide: Wide) -> int:
    return wide.merged


def _parts(one: Opened, met: Met) -> list[Part]:
    """Return the parts of a file that met none of the other's; VAEs are told of apart."""
    alone = {id(part) for part in met.found.alone}
    return [part for part in one.identity.parts if id(part) in alone and part.role != "vae"]


def _notes_on_ema(models: Gathered, recipe: Recipe) -> Iterator[Note]:
    if not models.lead.identity.ema.present:
        return
    if recipe.output.ema == "keep":
        yield Note("merge.ema_kept", {"lead": models.lead.model.path.name})
    if recipe.compat == "a1111":
        yield Note("merge.compat_ema", warning=False)


def _notes_on_vae(models: Gathered, lead: str) -> Iterator[Note]:
    """Yield where the VAE comes from, if there is more than one."""
    others = [met.opened for met in models.others.values() if met.opened.identity.part("vae")]
    if not others:
        return
    if models.lead.identity.part("vae"):
        yield Note("merge.vae_of_lead", {"lead": lead}, warning=False)
    else:
        yield Note("merge.no_vae", {"lead": lead, "name": others[0].model.path.name})


def _same_files(sources: Mapping[str, Opened]) -> Iterator[Note]:
    """Yield a warning for every file that is there under two names."""
    seen: dict[object, str] = {}
    for name, opened in sources.items():
        prints = tuple(file.fingerprint for file in opened.model.files)
        if prints and prints in seen:
            values = {"first": seen[prints], "second": name, "path": opened.model.path.name}
            yield Note("merge.same_file", values)
        seen.setdefault(prints, name)


def record(recipe: Recipe, sources: Mapping[str, Opened]) -> dict[str, object]:
    """Return what the history of the output says of the merge.

    A recipe has its sources in no order of its own: made again, it gives the same bytes.
    """
    return {
        "inputs": {
            name: told_name(recipe.sources[name], opened.model.path.name)
            for name, opened in sorted(sources.items())
        },
        "methods": [step.method for step in recipe.steps],
        **({"compat": recipe.compat} if recipe.compat else {}),
    }


def _title(part: Part) -> str:
    kind = part.variant if part.role == "text_encoder" else None
    return kind or say(f"inspect.part_{part.role}")
