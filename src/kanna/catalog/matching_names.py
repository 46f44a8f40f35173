"""Names of models as pictures and recipes write them, taken apart for looking them up.

A1111 writes ``Model`` without suffix and with sub-folders joined by ``_`` (modules/sd_models.py,
CheckpointInfo), ``VAE`` with suffix, LoRAs and embeddings as file names without suffix, and in
places ``name [hash]`` or ``name(hash)``. ComfyUI writes paths below its models folder with the
slash of its system. Others write URLs and names of repositories.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

from kanna.formats import MODEL_SUFFIXES
from kanna.hashing.resolving import parted

_ASCII_LOWER: Final = str.maketrans(
    {**{chr(n): chr(n + 32) for n in range(ord("A"), ord("Z") + 1)}, "-": "_", " ": "_"}
)
# The same in SQL; `spelling` and the indexes of the library's schema must agree with it.
SPELLING: Final = "lower(replace(replace({0}, '-', '_'), ' ', '_'))"
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:hf|huggingface|civitai):", re.IGNORECASE)
# Civitai's name of a version as a resource (AIR): urn:air:sdxl:lora:civitai:MODEL@VERSION
_AIR: Final = re.compile(r"(?:urn:)?(?:air:)?(?:.*:)?civitai:\d+@(\d+).*", re.IGNORECASE)
_WORDS: Final = frozenset({"none", "automatic", "built-in", "built in", "baked vae", "bakedvae"})
_SURROGATE: Final = re.compile("[\ud800-\udfff]")  # JSON may hold them; no database does
_MOST_JOINTS: Final = 12
# What A1111 calls the upscalers that it brings: the names of their files are others.
# Source: AUTOMATIC1111 modules/realesrgan_model.py, extensions-builtin/ScuNET, SwinIR.
SHOWN_AS: Final = {
    "R-ESRGAN 4x+": "RealESRGAN_x4plus",
    "R-ESRGAN 4x+ Anime6B": "RealESRGAN_x4plus_anime_6B",
    "R-ESRGAN 2x+": "RealESRGAN_x2plus",
    "R-ESRGAN General 4xV3": "realesr-general-x4v3",
    "R-ESRGAN General WDN 4xV3": "realesr-general-wdn-x4v3",
    "R-ESRGAN AnimeVideo": "realesr-animevideov3",
    "ScuNET GAN": "ScuNET",
    "SwinIR 4x": "SwinIR_4x",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A name taken apart: folders as they were written, stem, suffix (with its dot, lower case).

    `digits` are those in brackets behind it, empty where there are none.
    """

    folders: tuple[str, ...]
    stem: str
    suffix: str
    digits: str = ""

    @property
    def spellings(self) -> tuple[str, ...]:
        """How a file of this name is spelled in the library, suffixes that may differ last."""
        stem = spelling(self.stem)
        own = (stem + self.suffix,) if self.suffix else (stem,)
        return tuple(dict.fromkeys([*own, stem, *(stem + one for one in sorted(MODEL_SUFFIXES))]))

    @property
    def joints(self) -> tuple[str, ...]:
        """What may be the file's own stem, spelled, where the name has folders joined to it."""
        ends = [one.end() for one in re.finditer("_+", spelling(self.stem))]
        return tuple(spelling(self.stem)[end:] for end in ends[:_MOST_JOINTS])


def name_of(text: str) -> Name | None:
    """Return a name taken apart, or None where `text` names no model: ``None``, ``Automatic``."""
    text = _SURROGATE.sub("\ufffd", text).strip()
    if air := _AIR.fullmatch(text):
        text = version_name(int(air[1]))
    elif _URL.match(text):
        text = unquote(re.split("[?#]", _URL.sub("", text, count=1))[0])
    text, digits = parted(text)
    *folders, last = text.replace("\\", "/").rstrip("/").split("/")
    if not last or text.casefold() in _WORDS:
        return None
    stem, suffix = split(last)
    inner = tuple(folder for folder in folders if folder not in {"", "."})
    return Name(folders=inner, stem=stem, suffix=suffix, digits=digits)


def version_name(number: int) -> str:
    """Return what infotexts call the version of a model of which only Civitai's number is known."""
    return f"modelVersionId {number}"


def split(name: str) -> tuple[str, str]:
    """Return the stem and the suffix of a file's name; what is no suffix of a model is stem."""
    suffix = PurePosixPath(name).suffix
    if suffix.lower() not in MODEL_SUFFIXES:
        return name, ""
    return name[: -len(suffix)], suffix.lower()


def spelling(name: str) -> str:
    """Return how a name is looked up; SQLite must be able to do the same: `SPELLING`."""
    return name.translate(_ASCII_LOWER)


def shared_folders(name: Name, path: str) -> int:
    """Return how many folders, from the file upwards, a path has in common with a name."""
    count = 0
    above = path.replace("\\", "/").split("/")[:-1]
    for ours, theirs in zip(reversed(above), reversed(name.folders), strict=False):
        if ours.casefold() != theirs.casefold():
            break
        count += 1
    return count


def ends_with_joined(path: str, name: Name) -> bool:
    """Whether the end of a path, its folders joined by ``_``, is the name."""
    *folders, last = path.replace("\\", "/").split("/")
    joined = spelling("_".join(["", *folders, split(last)[0]]))
    return joined.endswith("_" + spelling(name.stem))
