"""What `kanna which` prints of a picture: the models that it names, and the files that they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna import api
from kanna.cli.infotext_report import DIALECTS
from kanna.cli.outcome import note_documents
from kanna.cli.output import bracketed, note_line, styled
from kanna.cli.which_report import known_lines
from kanna.messages import say, shown

_COLOURS: Final = {
    "found": "green", "likely": "cyan", "possible": "yellow", "missing": "red", "unknown": "red",
}  # fmt: skip
_SURE: Final = {"found", "likely"}  # what else it may be, is worth a line otherwise
_FEW: Final = 3  # files of the same certainty; -v shows all
_SHORT: Final = 16


def picture_lines(found: api.PictureModels, *, in_library: bool, verbose: bool) -> Iterator[str]:
    """Yield the models of a picture, each with its files and, where there is none, what it is.

    `in_library` says that a library was to be asked.
    """
    name = DIALECTS.get(found.info.dialect) or say("infotext.unknown_dialect")
    program = " ".join(filter(None, [name, shown(found.info.program or "")]))
    yield f"{styled(shown(found.path), 'bold')}  {styled(program, 'dim')}"
    for model in found.models:
        yield from (f"  {line}" for line in _model_lines(model, verbose=verbose))
    if not found.models:
        yield "  " + say("which.names_nothing")
    yield from map(note_line, found.notes)
    if found.library is None and in_library:
        yield "  " + styled(say("which.no_library"), "dim")


def _model_lines(model: api.NamedModel, *, verbose: bool) -> Iterator[str]:
    state = styled(say(f"which.state_{model.state}"), _COLOURS[model.state])
    yield f"{say(f'inspect.part_{model.reference.role}')}  {_named(model)}  {state}"
    shown_matches = model.matches if verbose else _most_telling(model)
    for match in shown_matches:
        yield from (f"  {line}" for line in _match_lines(match, model, verbose=verbose))
    if more := len(model.matches) - len(shown_matches):
        yield "  " + styled(say("which.more_files", count=more), "dim")
    if verbose or model.state not in _SURE:
        yield from (f"  {line}" for line in _known_lines(model, verbose=verbose))
    yield from map(note_line, model.notes)


def _named(model: api.NamedModel) -> str:
    """Return what the picture calls a model: its name and digest, and how strong it is."""
    said = model.reference
    name = styled(shown(said.name) if said.name else _short(said.digest or ""), "bold")
    further = [_short(said.digest)] if said.name and said.digest else []
    weights = dict.fromkeys(one.weight for one in model.references if one.weight is not None)
    further += [f"{weight:g}" for weight in weights]
    further += [shown(one.stage) for one in model.references if one.stage]
    return bracketed(name, ", ".join(dict.fromkeys(further))) if further else name


def _short(digest: str) -> str:
    """Return what shows of a digest: all of those that programs show, of others the beginning."""
    return shown(digest if len(digest) <= _SHORT else f"{digest[:_SHORT]}…")


def _most_telling(model: api.NamedModel) -> tuple[api.Match, ...]:
    """Return the files that are surer than the rest, and not more than a few."""
    best = [one for one in model.matches if one.certainty == model.matches[0].certainty]
    there = [one for one in best if one.present] or best
    return tuple(there[:_FEW])


def _match_lines(match: api.Match, model: api.NamedModel, *, verbose: bool) -> Iterator[str]:
    yield shown(match.path)
    reasons = [say(f"which.by_{word}") for word in (match.meaning, *match.also)]
    if match.certainty != "certain" and model.state == "found":
        reasons.append(say(f"which.state_{match.certainty}"))
    if not match.present:
        reasons.append(say("which.not_there"))
    if match.kind_agrees is False:
        kind = say(f"inspect.part_{match.kind}")
        reasons.append(say("which.other_kind", kind=kind))
    if match.contradicts:
        by_name = match.meaning != "vae_hash"
        reasons.append(say("which.other_digest" if by_name else "which.other_name"))
    yield "  " + styled(" · ".join(reasons), "dim")
    if verbose and match.sha256:
        yield f"  SHA-256 {match.sha256}"


def _known_lines(model: api.NamedModel, *, verbose: bool) -> Iterator[str]:
    """Yield which published files it may be; of many of the same name only the first."""
    hits = model.known if verbose else model.known[:_FEW]
    for hit in hits:
        known = hit.known
        assert known is not None
        titled = "" if known.title in {known.name, known.short_name} else shown(known.title)
        name = bracketed(shown(known.name), titled) if titled else shown(known.name)
        yield say("which.published", name=name, meaning=say(f"which.by_{hit.meaning}"))
        yield from (f"  {line}" for line in known_lines(known, verbose=verbose))
    if more := len(model.known) - len(hits):
        yield styled(say("which.more_published", count=more), "dim")


def picture_document(found: api.PictureModels) -> dict[str, object]:
    """Return the same for scripts."""
    return {
        "path": str(found.path),
        "dialect": found.info.dialect,
        "program": found.info.program,
        "library": None if found.library is None else str(found.library),
        "found": found.found,
        "models": [_model_document(model) for model in found.models],
        "notes": note_documents(found.notes),
    }


def _model_document(model: api.NamedModel) -> dict[str, object]:
    said = model.reference
    return {
        "role": said.role, "name": said.name, "digest": said.digest, "state": model.state,
        "references": [
            {"name": one.name, "digest": one.digest, "weight": one.weight, "where": one.where,
             "stage": one.stage or None}
            for one in model.references
        ],
        "matches": [match.to_json() for match in model.matches],
        "known": [
            {"meaning": hit.meaning, "exact": hit.exact, **hit.known.to_json()}
            for hit in model.known if hit.known is not None
        ],
        "notes": note_documents(model.notes),
    }  # fmt: skip
