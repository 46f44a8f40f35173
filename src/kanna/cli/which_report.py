"""What `kanna which` prints of a digest: the files that it may be of."""

from __future__ import annotations

from collections.abc import Iterator

from kanna import api
from kanna.cli.output import note_line, styled, wrapped
from kanna.families import title
from kanna.identity import said
from kanna.messages import say, shown, size_text


def answer_lines(answer: api.Answer, *, verbose: bool) -> Iterator[str]:
    """Yield what a digest or a file may be."""
    nothing = "" if answer.hits else "  " + styled(say("which.not_found"), "yellow")
    yield styled(shown(answer.asked), "bold") + nothing
    for hit in answer.hits:
        yield from (f"  {line}" for line in _hit_lines(hit, verbose=verbose))
    yield from map(note_line, answer.notes)


def _hit_lines(hit: api.Hit, *, verbose: bool) -> Iterator[str]:
    known = hit.known
    titled = known.title if known and known.title not in {hit.name, known.short_name} else ""
    yield styled(shown(hit.name), "bold", "green") + (
        f"  {wrapped(shown(titled), 4)}" * bool(titled)
    )
    yield f"  {_meaning(hit)}"
    if known is not None:
        yield from (f"  {line}" for line in known_lines(known, verbose=verbose))
    if hit.file is not None and (known is not None or not hit.file.is_there):
        key = "which.here" if hit.file.is_there else "which.gone"
        yield "  " + say(key, path=hit.file.path)


def _meaning(hit: api.Hit) -> str:
    if hit.part is not None:
        return say("which.meaning_part", role=say(f"inspect.part_{hit.part.role}"))
    return say(f"which.meaning_{hit.meaning}")


def known_lines(known: api.Known, *, verbose: bool) -> Iterator[str]:
    """Yield what the table says of a published file, beside its name."""
    sha256 = known.sha256 or (known.sha256_begins and f"{known.sha256_begins}…")
    if sha256:
        yield f"SHA-256 {sha256}"
    yield _facts(known)
    if verbose:
        yield from ("  " + say("which.source", name=name) for name in known.full_sources)
    if known.notes:
        yield shown(known.notes)


def _facts(known: api.Known) -> str:
    """Return what the table says of a published file, in one line."""
    facts = []
    if known.architecture:
        facts.append(" ".join(filter(None, (title(known.architecture), known.variant))))
    if known.kind_is_sure and known.kind != "other":
        facts.append(say(f"inspect.part_{known.kind}"))
    if known.size is not None:
        facts.append(size_text(known.size))
    facts.append(say("which.lists", count=known.n_sources))
    return styled(" · ".join(facts), "dim")


def answer_document(answer: api.Answer) -> dict[str, object]:
    """Return the same for scripts."""
    return {
        "asked": answer.asked,
        "digits": answer.digits,
        "found": answer.found,
        "several": answer.several,
        "hits": [hit.to_json() for hit in answer.hits],
        "notes": [
            {"key": note.key, "warning": note.warning, "text": said(note)} for note in answer.notes
        ],
    }
