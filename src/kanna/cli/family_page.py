"""The page of a model family, as `kanna explain` prints it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Final

from kanna.cli.output import count_text, styled, wrapped
from kanna.cli.report import facts_lines
from kanna.families import title
from kanna.families.dossier import Dossier, Guess, Need
from kanna.families.pages import UIS, Facts, Place, folders, spoken
from kanna.families.traits import Trait
from kanna.messages import say, shown, size_text

_MANY: Final = 6
_OFF: Final = (1, 1)


def family_lines(page: Dossier, *, verbose: bool = False) -> list[str]:
    """Return the page of a family or a variant; `verbose` names all that share a part."""
    name = " · ".join(filter(None, [page.title, page.variant]))
    told = "told" if page.variant else "variants"
    blocks = [
        [f"{styled(name, 'bold')}  {styled(page.name, 'dim')}", *text_lines(_summary(page))],
        facts_lines(list(_facts(page))),
        section("needs", [row for need in page.needs for row in _need(need, page, verbose)]),
        section("folders", folder_rows(("checkpoint", "diffusion_model", *_roles(page), "lora"))),
        section(told, [row for trait in _traits(page) for row in _trait(trait, page)]),
    ]
    return [line for number, block in enumerate(filter(None, blocks))
            for line in ([""] if number else []) + block]  # fmt: skip


def text_lines(texts: Sequence[str]) -> list[str]:
    """Return paragraphs, folded under two spaces."""
    return [f"  {wrapped(text, 2)}" for text in texts]


def folder_rows(kinds: Sequence[str]) -> list[list[str]]:
    """Return a row for each kind: its name, and the folder that each UI keeps it in."""
    rows = []
    for kind in dict.fromkeys(kinds):
        known = [f"{UIS[ui]} {folder}" for ui, folder in folders(kind).items()]
        if known:
            rows.append([say(f"inspect.part_{kind}"), " · ".join(known)])
    return rows


def titles(names: Sequence[str], *, verbose: bool = False) -> str:
    """Return the names that people use for families, not all of many."""
    some = names if verbose else names[:_MANY]
    text = ", ".join(map(title, some))
    left = len(names) - len(some)
    return say("explain.and_more", names=text, count=left) if left else text


def place_texts(place: Place, *names: str) -> Iterator[str]:
    """Yield what there is to say about a part: `names` and its files, its home, its size."""
    if names or place.files:
        yield ": ".join(filter(None, [*names, ", ".join(place.files)]))
    pieces = [place.repository or ""]
    if place.parameters:
        count = round(place.parameters * 10**9)
        size = size_text(2 * count)
        pieces.append(say("explain.size_fp16", count=count_text(count), size=size))
    if any(pieces):
        yield " · ".join(filter(None, pieces))


def parameters_text(page: Dossier) -> str:
    """Return the parameters of a family, or from the smallest to the largest of its variants."""
    counts = sorted({round(count * 10**9) for count in parameter_counts(page)})
    if not counts:
        return ""
    low, high = (count_text(count) for count in (counts[0], counts[-1]))
    return low if low == high else say("explain.range", low=low, high=high)


def parameter_counts(page: Dossier) -> list[float]:
    """Return the parameters of a family in billions, or where it has no number its variants'."""
    if page.facts.parameters:
        return [page.facts.parameters]
    return [facts.parameters for facts in page.variant_facts if facts.parameters]


def section(name: str, rows: list[list[str]]) -> list[str]:
    """Return rows of a label and a text under a heading, nothing where there are none."""
    return [styled(say(f"explain.section_{name}"), "bold"), *facts_lines(rows)] if rows else []


def _summary(page: Dossier) -> list[str]:
    if page.summary is None:
        return [say("explain.no_page")]
    note = spoken(page.facts.note) if page.variant else ""
    return [text for text in (note, spoken(page.summary)) if text]


def _facts(page: Dossier) -> Iterator[list[str]]:
    facts = page.facts
    told = {
        "maker": page.maker,
        "released": facts.released,
        "repository": facts.repository,
        "licence": _licence(facts),
        "parameters": parameters_text(page),
        "tasks": " · ".join(say(f"inspect.task_{task.replace('-', '_')}") for task in page.tasks),
        "resolution": _pixels(facts.resolution),
        "latent": _latent(page),
        "scale": _scale(page),
        "predicts": " · ".join(map(_guess, page.predictions)),
        "flow_shift": _number(facts.flow_shift),
        "steps": _range(facts.steps),
        "guidance": _guidance(facts),
        "distilled": say(f"explain.distilled_{facts.distilled}") if facts.distilled else "",
        "lora": _fields(page.lora_names),
        "others": ", ".join(_other_words(page)) if page.variant else "",
    }
    for label, text in told.items():
        if text:
            yield [say(f"explain.row_{label}"), text]


def _roles(page: Dossier) -> list[str]:
    return [need.role for need in page.needs]


def _traits(page: Dossier) -> list[Trait]:
    """Return the variants to show, in the order of the page rather than that of recognition."""
    order = [facts.name for facts in page.variant_facts]
    rows = [row for row in page.traits if page.variant is None or page.variant in row.words]
    known = {word: number for number, word in enumerate(order)}
    return sorted(rows, key=lambda row: min(known.get(word, len(order)) for word in row.words))


def _other_words(page: Dossier) -> list[str]:
    words = dict.fromkeys(word for row in page.traits for word in row.words)
    return [word for word in words if word != page.variant]


def _licence(facts: Facts) -> str:
    if not facts.licence:
        return ""
    how = "read" if facts.licence_read else "heard"
    return say(f"explain.licence_{how}", licence=facts.licence)


def _pixels(resolution: int | None) -> str:
    return say("explain.pixels", pixels=resolution) if resolution else ""


def _latent(page: Dossier) -> str:
    if not page.latent_channels:
        return ""
    if not page.spatial_factor:
        return say("explain.latent_channels", channels=page.latent_channels)
    return say("explain.latent", channels=page.latent_channels, factor=page.spatial_factor)


def _scale(page: Dossier) -> str:
    if page.vae_scale is None:
        return ""
    if not page.vae_shift:
        return say("explain.scale", scale=page.vae_scale)
    return say("explain.scale_shift", scale=page.vae_scale, shift=page.vae_shift)


def _guess(guess: Guess) -> str:
    if guess.markers:
        return say("explain.predicts_marker", type=guess.type, marker=" + ".join(guess.markers))
    how = "always" if guess.certainty == "certain" else "usually"
    return say(f"explain.predicts_{how}", type=guess.type)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _range(pair: tuple[float, float] | None) -> str:
    if pair is None:
        return ""
    low, high = map(_number, pair)
    return low if low == high else say("explain.range", low=low, high=high)


def _guidance(facts: Facts) -> str:
    if facts.guidance is None:
        return ""
    if facts.guidance == _OFF:
        return say("explain.guidance_off")
    how = "value" if facts.distilled == "guidance" else "scale"
    return say(f"explain.guidance_{how}", value=_range(facts.guidance))


def _need(need: Need, page: Dossier, verbose: bool) -> Iterator[list[str]]:  # noqa: FBT001
    """Yield the rows of one part: the first with its word, the others under it."""
    texts = [text for place in need.places for text in place_texts(place, place.title)]
    if need.shared_with:
        names = titles(need.shared_with, verbose=verbose)
        texts.append(say("explain.shared_with", names=names))
    texts += [spoken(place.note) for place in need.places if place.note]
    if need.word == "vae":
        texts += _vae_texts(page)
    yield from _under([need.word], texts)


def _vae_texts(page: Dossier) -> Iterator[str]:
    if page.vae is None:
        yield say("explain.vae_varies")
    unknown = [w for w in page.vae_twins if w not in {*page.vae_fits, *page.vae_clashes}]
    groups = {"fits": page.vae_fits, "clashes": page.vae_clashes, "twins": unknown}
    for name, words in groups.items():
        if words:
            yield say(f"explain.vae_{name}", names=titles(words))


def _trait(trait: Trait, page: Dossier) -> Iterator[list[str]]:
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
    yield from _under(trait.words, [*texts, *_signs(trait, page)])


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
    yield _pixels(facts.resolution)
    yield f"{say('explain.row_steps')} {_range(facts.steps)}" if facts.steps else ""
    yield _guidance(replace(facts, distilled=facts.distilled or whole.distilled))
    yield say(f"explain.short_distilled_{facts.distilled}") if facts.distilled else ""
    yield f"flow shift {_number(facts.flow_shift)}" if facts.flow_shift else ""


def _signs(trait: Trait, page: Dossier) -> Iterator[str]:
    """Yield how the header tells a variant, or that it does not."""
    fields = _fields(trait.metadata)
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


def _fields(pairs: Sequence[tuple[str, str]]) -> str:
    """Return metadata fields, each with all that it may contain."""
    keys = dict.fromkeys(key for key, _ in pairs)
    texts = {key: ", ".join(value for name, value in pairs if name == key) for key in keys}
    return " · ".join(f"{key}: {text}" for key, text in texts.items())


def _spreads(trait: Trait, page: Dossier) -> Iterator[str]:
    for spread in page.spreads:
        if set(trait.words) & {*spread.above, *spread.below}:
            above, below = (" / ".join(words) for words in (spread.above, spread.below))
            yield say("explain.spread", tensor=spread.tensor, limit=spread.limit, above=above,
                      below=below)  # fmt: skip


def _under(words: Sequence[str], texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield rows of words beside texts, as many as the longer of both has."""
    labels = [*(f"{shown(word)} /" for word in words[:-1]), shown(words[-1])]
    yield from map(list, zip_longest(labels, texts, fillvalue=""))
