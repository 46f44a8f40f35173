"""Many texts out of one JSON document, and the document of a text.

::

    {"prompt": ["a cat", "a dog"], "steps": 20, "seed": [1, 2, 3], "cfg_scale": 7, "width": 512,
     "height": 768, "sampler_name": "Euler a"}

Every list is a choice, and every combination of choices gives a text in A1111's grammar; the last
list changes fastest. With ``prompt_count`` the numbers of a range such as ``0.5~1`` in the prompts
go in so many equal steps from one to the other. Keys are those of the texts, or those of A1111's
API and of sd_filer, in small letters with underscores.
Source: aka7774/sd_infotexts infotexts/actions.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, Final

from kanna.errors import Incompatible, UsageError
from kanna.infotext.a1111_editing import is_key
from kanna.infotext.a1111_writing import (
    LAST,
    ORDER,
    in_order,
    pairs_of,
    prompt_of,
    write_a1111,
    written_text,
)
from kanna.infotext.info import GenerationInfo

__all__ = ["expand", "to_document", "write_a1111"]

LIMIT: Final = 100_000
_END: Final = r"(-?(?:\d{1,9}(?:\.\d{1,9})?|\.\d{1,9}))"
_RANGE: Final = re.compile(rf"(?<![\w.~]){_END}~{_END}(?![\w.~])")
_COUNT: Final = "prompt_count"
_PROMPT, _NEGATIVE = "prompt", "negative_prompt"
# Keys of A1111's API and of JSON that aka7774's tools make, where they are not the text's own in
# small letters with underscores. Source: AUTOMATIC1111 modules/processing.py.
_KEYS: Final = {
    "prompt": _PROMPT, "Prompt": _PROMPT,
    "negative_prompt": _NEGATIVE, "Negative prompt": _NEGATIVE, "negative prompt": _NEGATIVE,
    "sampler_name": "Sampler", "sampler_index": "Sampler", "scheduler": "Schedule type",
    "sd_model_name": "Model", "sd_model_hash": "Model hash", "sd_model_checkpoint": "Model",
    "sd_vae_name": "VAE", "sd_vae_hash": "VAE hash", "ensd": "ENSD",
    "eta_noise_seed_delta": "ENSD", "subseed": "Variation seed",
    "subseed_strength": "Variation seed strength", "hypernet_strength": "Hypernet strength",
    "hypernet": "Hypernet", "eta": "Eta", "hr_upscaler": "Hires upscaler",
    "hr_scale": "Hires upscale", "hr_second_pass_steps": "Hires steps",
}  # fmt: skip
_SPELLED: Final = {key.lower().replace(" ", "_"): key for key in (*ORDER, *LAST)}
# Two keys that are the two numbers of one.
_SIZES: Final = {
    "Size": (("width", "height"), ("Size-1", "Size-2"), ("size-1", "size-2")),
    "Seed resize from": (
        ("seed_resize_from_w", "seed_resize_from_h"),
        ("Seed resize from-1", "Seed resize from-2"),
    ),
    "Hires resize": (("hr_resize_x", "hr_resize_y"), ("Hires resize-1", "Hires resize-2")),
}
# Pairs that are numbers in a document, as people write them there.
_NUMBERS: Final = {
    "Steps", "CFG scale", "Distilled CFG Scale", "Seed", "Denoising strength", "Clip skip",
}  # fmt: skip
_LARGEST: Final = 1 << 53  # whole numbers beyond it are not exact in every reader of JSON


def expand(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a text for every combination of what the lists in `document` offer.

    Raises:
        UsageError: there would be more than 100,000 of them, or a value is none.
        Incompatible: A1111's texts cannot hold such a key.
    """
    steps = _steps(document[_COUNT]) if _COUNT in document else 0
    choices = {key: _choices(key, value) for key, value in document.items() if key != _COUNT}
    spread = {key: steps for key in choices if steps and _KEYS.get(key) in {_PROMPT, _NEGATIVE}}
    count = math.prod(
        sum(spread[key] if key in spread and _RANGE.search(one) else 1 for one in values)
        for key, values in choices.items()
    )
    if count > LIMIT:
        raise UsageError("infotext_text.too_many", count=count, limit=LIMIT)
    for key in spread:
        choices[key] = [one for text in choices[key] for one in _ranged(text, steps)]
    return (_text(dict(zip(choices, values, strict=True))) for values in product(*choices.values()))


def to_document(info: GenerationInfo) -> dict[str, Any]:
    """Return the document of a picture, which `expand` turns into its text again."""
    document: dict[str, Any] = {_PROMPT: prompt_of(info)}
    if info.negative:
        document[_NEGATIVE] = info.negative
    return document | {key: _for_json(key, value) for key, value in pairs_of(info)}


def _choices(key: str, value: object) -> list[str]:
    if _KEYS.get(key, key) not in {_PROMPT, _NEGATIVE} and not is_key(key):
        raise Incompatible("infotext_text.bad_key", name=key)
    values = value if isinstance(value, list) else [value]
    if not values:
        raise UsageError("infotext_text.empty_list", name=key)
    return [_as_text(key, one) for one in values]


def _as_text(key: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, dict):  # such as that of Hashes
        return json.dumps(value, ensure_ascii=False)
    if value is None:
        return ""
    raise UsageError("infotext_text.bad_value", name=key)


def _steps(value: object) -> int:
    if type(value) is not int or not 1 <= value <= LIMIT:
        raise UsageError("infotext_text.bad_count", limit=LIMIT)
    return value


def _ranged(text: str, steps: int) -> Sequence[str]:
    """Return the prompts that the ranges in one make; the same number for all of them."""
    if not _RANGE.search(text):
        return [text]
    shares = [step / (steps - 1) if steps > 1 else 0.0 for step in range(steps)]
    return [_RANGE.sub(partial(_between, share), text) for share in shares]


def _between(share: float, match: re.Match[str]) -> str:
    first, last = float(match[1]), float(match[2])
    number = round(first + (last - first) * share, 6) + 0.0  # no zero below zero
    return f"{number:.6f}".rstrip("0").rstrip(".")


def _text(values: Mapping[str, str]) -> str:
    """Return the text that these values make; what is empty is left out."""
    rest = dict(values)
    sizes = {key: size for key, names in _SIZES.items() if (size := _size(rest, names))}
    named = {_key(key): value for key, value in rest.items() if value} | sizes
    prompt, negative = named.pop(_PROMPT, ""), named.pop(_NEGATIVE, "")
    return written_text(prompt, negative, in_order(named.items()))


def _size(values: dict[str, str], names: Sequence[tuple[str, str]]) -> str:
    """Take the two numbers of a size out of `values`."""
    for wide, high in names:
        if wide in values and high in values:
            size = values.pop(wide), values.pop(high)
            return "x".join(size) if all(size) and size != ("0", "0") else ""
    return ""


def _key(key: str) -> str:
    """Return the key of the text for one of a document."""
    return _KEYS.get(key) or _SPELLED.get(key, key)


def _for_json(key: str, value: str) -> object:
    """Return a number where the value is nothing else, character by character."""
    if key not in _NUMBERS:
        return value
    try:
        number = json.loads(value)
    except ValueError:
        return value
    plain = type(number) in {int, float} and str(number) == value and abs(number) < _LARGEST
    return number if plain else value
