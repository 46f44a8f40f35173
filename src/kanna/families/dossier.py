"""All that the tables know of a family, put together for one page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

from kanna.families import Choice, family, tables, title
from kanna.families.architectures import kinds
from kanna.families.needs import Need, need
from kanna.families.pages import About, Facts, about
from kanna.families.rows import Spoken
from kanna.families.traits import Trait, traits


@dataclass(frozen=True, slots=True, kw_only=True)
class Guess:
    """What a model predicts, how surely, and the tensors that say so where there must be any."""

    type: str
    certainty: str | None
    markers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A vector whose standard deviation settles what the header leaves open."""

    tensor: str
    limit: float
    above: tuple[str, ...]
    below: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The page of a family, or of one `variant` of it; absent knowledge is None or empty.

    `facts` are the family's, or the variant's where it differs; `variant_facts` are what differs
    in each of its variants. A latent is ``(x - vae_shift) * vae_scale``. `vae_twins` are families
    whose VAE has the same names and shapes; of them `vae_fits` have the same scale, `vae_clashes`
    another, and of the rest that is not known.
    `lora_names` are fields and what they contain in adapters made for it.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    facts: Facts
    variant: str | None = None
    maker: str | None = None
    summary: Spoken | None = None
    aliases: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    latent_channels: int | None = None
    vae: str | None = None
    vae_scale: float | None = None
    vae_shift: float | None = None
    spatial_factor: int | None = None
    vae_twins: tuple[str, ...] = ()
    vae_fits: tuple[str, ...] = ()
    vae_clashes: tuple[str, ...] = ()
    predictions: tuple[Guess, ...] = ()
    spreads: tuple[Spread, ...] = ()
    needs: tuple[Need, ...] = ()
    traits: tuple[Trait, ...] = ()
    variant_facts: tuple[Facts, ...] = ()
    lora_names: tuple[tuple[str, str], ...] = ()


def dossier(name: str, variant: str | None = None) -> Dossier:
    """Return the page of the family called `name`, or of its `variant`."""
    own, page = family(name), about(name)
    rows = traits(name)
    row = next((row for row in rows if variant in row.words), Trait(words=()))
    needs = row.needs or (own.needs if own else ())
    vae = own.vae if own and "vae" in needs else None
    twins = tuple(word for word in _twins(vae) if word != vae)
    return Dossier(
        name=name,
        title=title(name),
        variant=variant,
        kinds=kinds()[name],
        facts=facts_of(page, variant, own.resolution if own else None),
        maker=page.maker if page else None,
        summary=page.summary if page else None,
        aliases=page.aliases if page else (),
        tasks=row.tasks or (own.tasks if own else ()),
        latent_channels=page.latent_channels if page else None,
        vae=vae,
        vae_scale=page.vae_scale if page else None,
        vae_shift=page.vae_shift if page else None,
        spatial_factor=page.spatial_factor if page else None,
        vae_twins=twins,
        vae_fits=tuple(word for word in twins if _same_scale(word, vae)),
        vae_clashes=tuple(word for word in twins if _same_scale(word, vae) is False),
        predictions=_guesses(row, own.predictions if own else ()),
        spreads=tuple(_spreads(name)),
        needs=tuple(need(word, name, vae) for word in needs),
        traits=rows,
        variant_facts=page.variants if page else (),
        lora_names=tuple(_lora_names(name)),
    )


def facts_of(page: About | None, variant: str | None, resolution: int | None = None) -> Facts:
    """Return the facts of a family, with those of `variant` in the place of the family's.

    A variant that is published in a place of its own has a date and a licence of its own, too.
    """
    whole = page.facts if page else Facts()
    whole = replace(whole, resolution=whole.resolution or resolution)
    own = next((f for f in page.variants if f.name == variant), None) if page else None
    if own is None:
        return whole
    if own.repository:
        whole = replace(whole, released=None, licence=None, licence_read=False)
    values = {f.name: getattr(own, f.name) for f in fields(own)}
    told = {name: value for name, value in values.items() if value}
    return replace(whole, **{"note": None, **told})


def all_needs(page: Dossier) -> tuple[str, ...]:
    """Return the words of all parts that a family or any variant of it needs, its own first."""
    own = [need.word for need in page.needs]
    others = (word for row in page.traits for word in row.needs)
    return tuple(dict.fromkeys([*own, *others]))


def _twins(vae: str | None) -> tuple[str, ...]:
    """Return the architectures whose VAE the header cannot tell from that of `vae`."""
    rows = (raw for raw in tables()["components"] if raw["role"] == "vae")
    words = (row.get("architectures", ()) for row in rows if not row.get("variants"))
    return next((tuple(some) for some in words if vae in some), ())


def _same_scale(one: str, other: str | None) -> bool | None:
    """Return whether latents of two families have the same scale, or None where nobody knows."""
    scales = [
        (page.vae_scale, page.vae_shift) for word in (one, other) if (page := about(word or ""))
    ]
    if len(scales) < 2 or any(scale is None for scale, _ in scales):
        return None
    return scales[0] == scales[1]


def _guesses(row: Trait, choices: tuple[Choice, ...]) -> tuple[Guess, ...]:
    if row.prediction:
        return (Guess(type=row.prediction, certainty="certain"),)
    return tuple(
        Guess(
            type=choice.name,
            certainty=choice.certainty,
            markers=tuple(line.lstrip("*:") for line in choice.all),
        )
        for choice in choices
        if choice.name
    )


def _spreads(name: str) -> Iterator[Spread]:
    own = family(name)
    for peek in own.peeks if own else ():
        above, below = (tuple(peek[side]["variants"]) for side in ("above", "below"))
        yield Spread(tensor=peek["any"][0], limit=peek["deviation"], above=above, below=below)


def _lora_names(name: str) -> Iterator[tuple[str, str]]:
    for row in tables()["families"].get(name, {}).get("metadata", ()):
        if not row.get("variants") or row["key"].startswith("ss_"):
            yield row["key"], row["contains"]
