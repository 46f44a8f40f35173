"""How a picture was made, for people: every line of the prompt, parameters, models, texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna import api
from kanna.cli.output import bracketed, note_line, styled, table
from kanna.infotext.info import GenerationInfo, ModelReference
from kanna.messages import say, shown, size_text
from kanna.pictures.picture import PictureText

DIALECTS: Final = {
    "a1111": "A1111", "forge": "Forge", "sdnext": "SD.Next", "civitai": "Civitai",
    "comfyui": "ComfyUI", "novelai": "NovelAI", "invokeai": "InvokeAI", "fooocus": "Fooocus",
    "swarmui": "SwarmUI", "easydiffusion": "Easy Diffusion", "drawthings": "Draw Things",
}  # fmt: skip
_CONTAINERS: Final = {"png": "PNG", "jpeg": "JPEG", "webp": "WebP", "avif": "AVIF", "gif": "GIF"}
_PIECE: Final = 160  # characters that `shown` shows whole
_LONGEST: Final = 8000  # characters of a prompt without -v
_MANY: Final = 40  # lines of a kind without -v
_ROWS: Final = (
    "steps", "sampler", "scheduler", "cfg_scale", "distilled_cfg_scale", "seed", "asked_size",
    "denoising_strength", "clip_skip",
)  # fmt: skip


def infotext_lines(found: api.Infotext, *, verbose: bool) -> Iterator[str]:
    """Yield the report on one file."""
    yield f"{styled(shown(found.path), 'bold')}  {_headline(found)}"
    info = found.info
    if info is not None:
        yield from _prompt_lines(info, verbose=verbose)
        yield from _section("parameters", table(_parameter_rows(info), indent=4), verbose=verbose)
        yield from _section("models", table(_model_rows(info), indent=4), verbose=verbose)
    else:
        yield "  " + styled(say("infotext.silent"), "yellow")
    if found.is_picture:
        places = [f"    {place_text(text)}" for text in found.texts]
        yield from _section("places", places, verbose=verbose)
    yield from map(note_line, [*found.notes, *(info.notes if info else ())])


def whole(text: str, *, most: int | None = None) -> Iterator[str]:
    """Yield the lines of a text, each safe to print and none of them cut before `most` letters."""
    some = text if most is None else text[:most]
    for line in some.splitlines() or [""]:
        yield "".join(shown(line[at : at + _PIECE]) for at in range(0, len(line), _PIECE))
    if len(some) < len(text):
        yield say("infotext.more_text", count=len(text) - len(some))


def place_text(text: PictureText) -> str:
    """Return where a text stands, in one line."""
    place = say(f"infotext.place_{text.place}")
    if text.keyword:
        place += f" {shown(text.keyword)}"
    facts = [say("infotext.letters", count=len(text.text))]
    facts += [say("infotext.after_data")] * text.after_data
    return bracketed(place, ", ".join(facts))


def model_word(model: ModelReference) -> str:
    """Return what a model is in the picture, and in which stage of its making."""
    word = say(f"infotext.role_{model.role}")
    return bracketed(word, shown(model.stage)) if model.stage else word


def _headline(found: api.Infotext) -> str:
    facts = []
    if found.info is not None:
        name = DIALECTS.get(found.info.dialect) or say("infotext.unknown_dialect")
        version = found.info.program if found.info.program != name else None
        facts.append(styled(f"{name} {shown(version or '')}".strip(), "green"))
    if found.is_picture:
        size = "" if found.width is None else f" {found.width} × {found.height}"
        facts.append(_CONTAINERS[found.holder] + size)
    return " · ".join([*facts, size_text(found.size)])


def _prompt_lines(info: GenerationInfo, *, verbose: bool) -> Iterator[str]:
    named = {say("infotext.prompt"): info.prompt, say("infotext.negative"): info.negative}
    for name, text in [*named.items(), *((shown(k), v) for k, v in info.prompts.items())]:
        if text:
            yield f"  {styled(name, 'cyan')}"
            yield from (f"    {line}" for line in whole(text, most=None if verbose else _LONGEST))


def _section(name: str, lines: list[str], *, verbose: bool) -> Iterator[str]:
    if lines:
        yield "  " + styled(say(f"infotext.{name}"), "cyan")
        some = lines if verbose else lines[:_MANY]
        yield from some
        if len(some) < len(lines):
            yield "    " + say("infotext.more_lines", count=len(lines) - len(some))


def _parameter_rows(info: GenerationInfo) -> list[list[str]]:
    """Return the pairs of the text; where it has none, what was understood."""
    if info.parameters:
        return [[shown(pair.key), shown(pair.value)] for pair in info.parameters]
    size = None if info.width is None else f"{info.width} × {info.height}"
    values = {"asked_size": size}
    values |= {name: getattr(info, name) for name in _ROWS if name not in values}
    return [
        [say(f"infotext.row_{name}"), shown(values[name])]
        for name in _ROWS if values[name] is not None
    ]  # fmt: skip


def _model_rows(info: GenerationInfo) -> list[list[str]]:
    return [
        [
            model_word(model), shown(model.name or ""), shown(model.digest or ""),
            "" if model.weight is None else f"× {model.weight:g}",
        ]
        for model in info.models
    ]  # fmt: skip
