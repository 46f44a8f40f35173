"""ComfyUI: graphs under ``prompt`` (what ran) and ``workflow`` (what was drawn).

PNG has them as texts, WebP and JPEG as EXIF ``prompt:{…}`` and ``workflow:{…}`` in whatever tag.
`prompt` is read; `workflow` only where there is no other. Of several samplers, the one that the
saved picture comes from is told as the picture's own; the prompts of the others are `prompts`.

A change is made in both graphs. In `workflow` it is made where the value stands that `prompt` has;
a value that is got from elsewhere there (a random one, say) is left alone.
Civitai's own generator writes such a graph into UserComment, with `extraMetadata` beside the nodes.
Where a saving node wrote A1111's text, too, see `kanna.infotext.comfyui_both`.
"""

from __future__ import annotations

from dataclasses import replace

from kanna.infotext.comfyui_models import models_of
from kanna.infotext.comfyui_samplers import find_samplers
from kanna.infotext.comfyui_texts import Drawn, graphs_in
from kanna.infotext.comfyui_told import Told
from kanna.infotext.comfyui_walk import Walk
from kanna.infotext.editable import Editable
from kanna.infotext.info import GenerationInfo
from kanna.infotext.places import Texts
from kanna.infotext.values import as_field
from kanna.infotext.written import Reading, Written
from kanna.model import Note


def open_comfyui(texts: Texts) -> Editable | None:
    """Return the texts as ComfyUI writes them, None where they are another's."""
    graph = Written.open(texts, read_graphs)
    if graph is None:
        return None
    from kanna.infotext.comfyui_both import join_parameters

    return join_parameters(graph)


def read_graphs(texts: Texts) -> Reading | None:
    """Return what the graphs of a picture say, None where it has none."""
    notes: list[Note] = []
    drawn: dict[str, Drawn] = {}
    for one in graphs_in(texts, notes):
        drawn.setdefault(one.kind, one)
    chosen = drawn.get("prompt") or drawn.get("workflow")
    if chosen is None:
        return None
    beside = drawn.get("workflow") if chosen.kind == "prompt" else None
    return _reading(chosen, beside, tuple(notes))


def _reading(chosen: Drawn, beside: Drawn | None, notes: tuple[Note, ...]) -> Reading:
    walk = Walk(chosen.graph)
    samplers = find_samplers(walk)
    made = Told(walk, samplers, chosen, beside)
    words = made.words()
    positive, negative = made.prompts("positive"), made.prompts("negative")
    main = {"positive": positive, "negative": negative}
    prompts = made.other_prompts(positive, negative)
    every = (*(one.text for one in (*positive, *negative)), *prompts.values())
    info = GenerationInfo(
        dialect="civitai" if "extraMetadata" in chosen.found.document else "comfyui",
        prompt=positive[0].text if positive else None,
        negative=negative[0].text if negative else None,
        prompts=prompts,
        clip_skip=made.clip_skip(),
        models=models_of(walk, samplers.used, every),
        parameters=tuple(made.parameters(words)),
        notes=notes,
    )
    values = {name: as_field(name, one.value) for name, one in words.items()}
    places = {name: made.places([one]) for name, one in words.items()}
    for name, side in (("prompt", "positive"), ("negative", "negative")):
        places[name] = made.text_places(main[side])
    return Reading(info=replace(info, **values), places=places, pairs=made.pairs(words))
