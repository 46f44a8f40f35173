"""Tokens in prompts that name files: ``<lora:name:0.8>`` and its kin.

::

    <lora:name>   <lora:name:te>   <lora:name:te:unet:dyn>   <lora:name:te=0.5:unet=0.8:lbw=…>
    <lyco:…>      <hypernet:name:strength>

The first number is for the text encoder, the second for the diffusion model, which takes the first
where it has none. Sources: AUTOMATIC1111 modules/extra_networks.py and
extensions-builtin/Lora/extra_networks_lora.py, a1111-sd-webui-lycoris.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from kanna.infotext.info import Role

_TOKEN: Final = re.compile(r"<(\w{1,32}):([^<>]+)>")
# Other programs' words for what A1111 calls by these.
KINDS: Final[Mapping[str, Role]] = {
    "lora": "lora", "lyco": "lora", "lycoris": "lora", "locon": "lora", "loha": "lora",
    "hypernet": "hypernetwork",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token in a prompt and its place there; `kind` is the word as written.

    `text_encoder` and `unet` are its strengths, None where none is given. `rest` are its other
    arguments as written: block weights and the like.
    """

    kind: str
    name: str
    text_encoder: float | None
    unet: float | None
    rest: tuple[str, ...]
    start: int
    end: int

    @property
    def role(self) -> Role:
        """What kind of model it names, in the words of the identity document."""
        return KINDS[self.kind.lower()]


def read_tokens(prompt: str) -> Iterator[Token]:
    """Yield the tokens of a prompt that name files, in their order."""
    for match in _TOKEN.finditer(prompt):
        if match[1].lower() in KINDS:
            yield _token(match)


def token_text(name: str, strength: float = 1.0, kind: str = "lora") -> str:
    """Return the token for a file: ``<lora:name:0.8>``."""
    return f"<{kind}:{name}:{strength:g}>"


def _token(match: re.Match[str]) -> Token:
    name, *arguments = match[2].split(":")
    positional = [word for word in arguments if "=" not in word]
    named = dict(word.split("=", 1) for word in arguments if "=" in word)
    first = _number(named.pop("te", positional[0] if positional else ""))
    second = _number(named.pop("unet", positional[1] if len(positional) > 1 else ""))
    rest = (*positional[2:], *(f"{key}={value}" for key, value in named.items()))
    return Token(kind=match[1], name=name.strip(), text_encoder=first,
                 unet=first if second is None else second, rest=rest,
                 start=match.start(), end=match.end())  # fmt: skip


def _number(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
