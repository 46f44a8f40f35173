"""The variants of a family as rows of its page: what differs, and how the header tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kanna.cli.output import count_text
from kanna.cli.page_texts import (
    beside,
    fields_text,
    guidance_text,
    number_text,
    pixels_text,
    range_text,
)
from kanna.families.dossier import Dossier
from kanna.families.pages import Facts, spoken
from kanna.families.traits import Trait
from kanna.messages import say


def variant_rows(page: Dossier) -> list[list[str]]:
    """Return the rows of all variants, or of the one that the page is about."""
    return [row for trait in _shown(page) for row in _rows(trait, page)]


def _shown(page: Dossier) -> list[Trait]:
    """Return the variants to show, in the order of the page rather than that of recognition."""
    order = [facts.name for facts in page.variant_facts]
    rows = [row for row in page.traits if page.variant is None or page.variant in row.words]
    known = {word: number for number, word in enumerate(order)}
    return sorted(rows, key=lambda row: min(known.get(word, len(order)) for word in row.words))


def _rows(trait: Trait, page: Dossier) -> Iterator[list[str]]:
    """Yield the rows of one variant, or of several that nothing in the header tells apart."""
    by_word = {facts.name: facts for facts in page.variant_facts}
    texts = []
    for word in _told_here(trait, page):
        facts = by_word.get(word, Facts())
        several = f"{word}: " if len(trait.words) > 1 else ""
        told = " · ".join(filter(None, _differences(facts, page.facts)))
        texts += [several + text for text in (told, spoken(facts.note)) if text]
    if trait.needs and set(trait.needs) != {need.word for need in page.needs}:
        texts.append(say("explain.needs_instead", names=", ".join(trait.needs)))
    yield from beside(trait.words, [*texts, *_signs(trait, page)])


def _told_here(trait: Trait, page: Dossier) -> list[str]:
    """Return the words whose facts are told with `trait`: those without a row of their own."""
    if page.variant or len(trait.words) == 1:
        return [word for word in trait.words if not page.variant]
    alone = {row.words[0] for row in page.traits if len(row.words) == 1}
    return [word for word in trait.words if word not in alone]


def _differences(facts: Facts, whole: Facts) -> Iterator[str]:
    """Yield what is told of a variant where it differs from the `whole` family."""
    yield count_text(round(facts.parameters * 10**9)) if facts.parameters else ""
    yield facts.released or ""
    yield facts.repository or ""
    yield (facts.licence or "") if facts.licence != whole.licence else ""
    yield pixels_text(facts.resolution)
    yield f"{say('explain.row_steps')} {range_text(facts.steps)}" if facts.steps else ""
    yield guidance_text(replace(facts, distilled=facts.distilled or whole.distilled))
    yield say(f"explain.short_distilled_{facts.distilled}") if facts.distilled else ""
    yield f"flow shift {number_text(facts.flow_shift)}" if facts.flow_shift else ""


def _signs(trait: Trait, page: Dossier) -> Iterator[str]:
    """Yield how the header tells a variant, or that it does not."""
    fields = fields_text(trait.metadata)
    if trait.other_header:
        yield say("explain.header_other", fields=fields)
        return
    yield _sign(trait, page)
    if len(trait.words) > 1:
        yield say("explain.not_told_apart")
        yield from _spreads(trait, page)
    if fields:
        yield say("explain.header_metadata", fields=fields)
    if trait.shared_with:
        yield say("explain.looks_like", names=trait.shared_with)


def _sign(trait: Trait, page: Dossier) -> str:
    what = " + ".join([*trait.all[:2], *trait.any[:1]])
    if trait.tensors:
        return say("explain.header_list", count=f"{trait.tensors:,}", what=what)
    if trait.layout and not what:
        return say("explain.header_layout", layout=trait.layout)
    if what and not _is_rest(trait, page):
        return say("explain.header_has", what=what)
    if trait.none:
        return say("explain.header_lacks", what=trait.none[0])
    return say("explain.header_none")


def _is_rest(trait: Trait, page: Dossier) -> bool:
    """Whether a variant is what is left: others ask for the same tensors and for a shape, too."""
    signs = {*trait.all, *trait.any}
    others = {sign for row in page.traits if row is not trait for sign in (*row.all, *row.any)}
    return signs <= {sign.partition(" ")[0] for sign in others if " " in sign}


def _spreads(trait: Trait, page: Dossier) -> Iterator[str]:
    for spread in page.spreads:
        if set(trait.words) & {*spread.above, *spread.below}:
            above, below = (" / ".join(words) for words in (spread.above, spread.below))
            yield say("explain.spread", tensor=spread.tensor, limit=spread.limit, above=above,
                      below=below)  # fmt: skip
