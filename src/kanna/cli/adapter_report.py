"""What `kanna inspect` prints of an adapter: how large it is, what it changes, what it fits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kanna.adapter import Adapter, counted_text
from kanna.families import title
from kanna.identity import Part
from kanna.messages import say, shown

# Names of methods, the same in every language.
_METHODS: Final = {
    "lora": "LoRA", "dora": "DoRA", "loha": "LoHa", "lokr": "LoKr", "oft": "OFT", "boft": "BOFT",
    "ia3": "(IA)³", "glora": "GLoRA",
}  # fmt: skip


def adapter_rows(part: Part, adapter: Adapter) -> Iterator[tuple[str, str]]:
    """Yield labels and texts on the adapter that `part` is."""
    separator = say("inspect.adapter_separator")
    yield say("inspect.row_adapter"), separator.join(_sizes(part, adapter))
    if len(adapter.bases) > 1:
        yield say("inspect.row_bases"), " / ".join(map(_base, adapter.bases))
    told = [adapter.said[word] for word in ("model", "base") if word in adapter.said]
    if told:
        yield say("inspect.row_trained_on"), " · ".join(map(shown, told))
    if "trigger" in adapter.said:
        yield say("inspect.row_trigger"), shown(adapter.said["trigger"])


def _sizes(part: Part, adapter: Adapter) -> Iterator[str]:
    if adapter.modules:
        yield from _matrices(part, adapter)
    for one in adapter.vectors:
        key = "inspect.adapter_vectors" if one.encoder else "inspect.adapter_vectors_open"
        yield say(key, count=one.count, width=one.width, encoder=one.encoder)
    if adapter.widths:
        yield say("inspect.adapter_widths", widths=" ".join(map(str, adapter.widths)))
    for key, value in adapter.structure.items():
        yield f"{key} = {shown(value)}"


def _matrices(part: Part, adapter: Adapter) -> Iterator[str]:
    """Yield what a LoRA or one of its kin is made of."""
    method = _METHODS.get(part.variant or "", part.variant or say("inspect.part_lora"))
    if adapter.decomposed and part.variant != "dora":
        method += f" + {_METHODS['dora']}"
    rank = say("identity.adapter_rank", values=counted_text(adapter.ranks)) if adapter.ranks else ""
    yield f"{method} {rank}".rstrip()
    if adapter.alphas:
        yield say("identity.adapter_alpha", values=counted_text(adapter.alphas))
    yield say("inspect.adapter_modules", count=adapter.modules)
    yield " + ".join(map(_touched, adapter.touches))
    if adapter.convolutions:
        yield say("inspect.adapter_convolutions")


def _touched(word: str) -> str:
    named = word in {"diffusion_model", "text_encoder"}
    return say(f"inspect.part_{word}") if named else word


def _base(word: str) -> str:
    architecture, _, variant = word.partition(":")
    return f"{title(architecture)} {variant}".rstrip()
