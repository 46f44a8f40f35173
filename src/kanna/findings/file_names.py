"""File names that work everywhere and say what is true: what is wrong with one, and a better one.

`fitting_stem` mends whatever the findings on names complain about.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from pathlib import Path
from typing import Final

from kanna.dtypes import word_of
from kanna.families import family
from kanna.identity import Identity

LONGEST: Final = 220  # bytes with the suffix; A1111 cuts names of merges at 240
_LONGEST_STEM: Final = 150  # leaves room for what was done to the file
# Names that Windows gives to devices, whatever the suffix, and letters that it does not allow.
# Source: Microsoft, Naming Files, Paths, and Namespaces.
_DEVICES: Final = frozenset({
    "con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10)),
})  # fmt: skip
_LETTERS: Final = frozenset('<>:"/\\|?*') | {chr(n) for n in range(32)}
_PRECISION: Final = re.compile(
    r"(?:(?<=[-_. ])|^)(fp32|fp16|bf16|fp8|float32|float16|bfloat16)(?=[-_. ]|$)(?![-_.]?fix)",
    re.IGNORECASE,
)
_INDEX: Final = re.compile(r"(\.safetensors|\.bin)?\.index(\.\w+)?\.json$", re.IGNORECASE)
# What programs read out of a name, and what the file must be for it.
# Source: AUTOMATIC1111 modules/sd_models_config.py and sd_vae.py; its merger adds the suffixes.
_MEANINGS: Final = {
    "inpaint": ("-inpainting", "_inpainting", ".inpainting", "-inpaint", "_inpaint", ".inpaint"),
    "instruct-pix2pix": ("-instruct-pix2pix", ".instruct-pix2pix", "-instructpix2pix"),
    "vae": (".vae",),
}


def forbidden(name: str) -> bool:
    """Whether Windows does not allow a file name."""
    device = name.partition(".")[0].lower() in _DEVICES
    return device or not _LETTERS.isdisjoint(name) or name.endswith((".", " "))


def precision_words(stem: str) -> dict[str, str]:
    """Return the words for a precision in a name, each with its dtype."""
    return {match[1]: word_of(match[1]) for match in _PRECISION.finditer(stem)}


def misleading(stem: str, identity: Identity) -> tuple[str, str] | None:
    """Return the ending of a name by which programs take the file for what it is not, and that."""
    for meaning, endings in _MEANINGS.items():
        for ending in endings:
            if stem.lower().endswith(ending) and not _is(identity, meaning):
                return ending, meaning
    return None


def stem_of(path: Path) -> str:
    """Return a file name without its suffix; of an index, without all that makes it one."""
    return _INDEX.sub("", path.name) or path.stem if _INDEX.search(path.name) else path.stem


def fitting_stem(stem: str, identity: Identity) -> str:
    """Return `stem` in ASCII, without spaces, forbidden letters and words that are not true."""
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._+-]+", "_", plain).strip("._-")
    while (wrong := misleading(plain, identity)) is not None:
        plain = plain[: -len(wrong[0])].rstrip("._-")
    plain = _PRECISION.sub("", plain)
    plain = re.sub(r"[-_.]{2,}", lambda match: match[0][0], plain).strip("._-")
    if not plain:  # names without any ASCII must stay apart
        plain = f"model_{zlib.crc32(stem.encode('utf-8', 'surrogateescape')):08x}"
    if forbidden(plain):
        plain = f"model-{plain}"
    return plain[:_LONGEST_STEM].rstrip("._-")


def _is(identity: Identity, meaning: str) -> bool:
    """Whether a file may be what an ending of its name says."""
    if meaning == "vae":
        return identity.kind in {"vae", "unknown"}
    if identity.kind not in {"checkpoint", "diffusion_model"} or identity.architecture is None:
        return True
    variants = identity.variant_candidates or (identity.variant,)
    known = family(identity.architecture)
    return known is None or not known.told_by_name or meaning in variants
