"""The page of a model family, as `kanna explain` prints it."""

from __future__ import annotations

from collections.abc import Iterator

from kanna.cli.output import count_text, styled
from kanna.cli.page_texts import (
    beside,
    fields_text,
    folder_rows,
    guidance_text,
    number_text,
    pixels_text,
    place_texts,
    range_text,
    section,
    text_lines,
    titles,
)
from kanna.cli.report import facts_lines
from kanna.cli.variant_rows import variant_rows
from kanna.families.dossier import Dossier, Guess
from kanna.families.needs import Need
from kanna.families.pages import Facts, spoken
from kanna.messages import say


def family_lines(page: Dossier, *, verbose: bool = False) -> list[str]:
    """Return the page of a family or a variant; `verbose` names all that share a part."""
    name = " · ".join(filter(None, [page.title, page.variant]))
    told = "told" if page.variant else "variants"
    blocks = [
        [f"{styled(name, 'bold')}  {styled(page.name, 'dim')}", *text_lines(_summary(page))],
        facts_lines(list(_facts(page))),
        section(
            "needs", [row for need in page.needs for row in _need(need, page, verbose=verbose)]
        ),
        section("folders", folder_rows(("checkpoint", "diffusion_model", *_roles(page), "lora"))),
        section(told, variant_rows(page)),
    ]
    return [line for number, block in enumerate(filter(None, blocks))
            for line in ([""] if number else []) + block]  # fmt: skip


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
        "resolution": pixels_text(facts.resolution),
        "latent": _latent(page),
        "scale": _scale(page),
        "predicts": " · ".join(map(_guess, sorted(page.predictions, key=_marked))),
        "flow_shift": number_text(facts.flow_shift),
        "steps": range_text(facts.steps),
        "guidance": guidance_text(facts),
        "distilled": say(f"explain.distilled_{facts.distilled}") if facts.distilled else "",
        "lora": fields_text(page.lora_names),
        "others": ", ".join(_other_words(page)) if page.variant else "",
    }
    for label, text in told.items():
        if text:
            yield [say(f"explain.row_{label}"), text]


def _roles(page: Dossier) -> list[str]:
    return [need.role for need in page.needs]


def _other_words(page: Dossier) -> list[str]:
    words = dict.fromkeys(word for row in page.traits for word in row.words)
    return [word for word in words if word != page.variant]


def _licence(facts: Facts) -> str:
    if not facts.licence:
        return ""
    how = "read" if facts.licence_read else "heard"
    return say(f"explain.licence_{how}", licence=facts.licence)


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


def _marked(guess: Guess) -> bool:
    return bool(guess.markers)


def _guess(guess: Guess) -> str:
    if guess.markers:
        return say("explain.predicts_marker", type=guess.type, marker=" + ".join(guess.markers))
    how = "always" if guess.certainty == "certain" else "usually"
    return say(f"explain.predicts_{how}", type=guess.type)


def _need(need: Need, page: Dossier, *, verbose: bool) -> Iterator[list[str]]:
    """Yield the rows of one part: the first with its word, the others under it."""
    texts = [text for place in need.places for text in place_texts(place, place.title)]
    if need.shared_with:
        names = titles(need.shared_with, verbose=verbose)
        texts.append(say("explain.shared_with", names=names))
    texts += [spoken(place.note) for place in need.places if place.note]
    if need.word == "vae":
        texts += _vae_texts(page)
    yield from beside([need.word], texts)


def _vae_texts(page: Dossier) -> Iterator[str]:
    if page.vae is None:
        yield say("explain.vae_varies")
    unknown = [w for w in page.vae_twins if w not in {*page.vae_fits, *page.vae_clashes}]
    groups = {"fits": page.vae_fits, "clashes": page.vae_clashes, "twins": unknown}
    for name, words in groups.items():
        if words:
            yield say(f"explain.vae_{name}", names=titles(words))
