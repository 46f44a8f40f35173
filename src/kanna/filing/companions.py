"""Which files belong to a model: a table of names beside it, and the files that bear them.

A companion is called as the model is, but for an ending of the table: ``model.yaml`` beside
``model.safetensors``, or ``model.safetensors.sha256``. A name that only begins like the model's is
none: ``model-inpainting.yaml`` belongs to another one.
Sources: AUTOMATIC1111 modules/sd_models_config.py (.yaml), sd_vae.py (.vae.*),
ui_extra_networks.py (previews, .txt, .description.txt), hypernetworks/hypernetwork.py (.optim);
aka7774/sd_filer (.sha256 and .yaml go along); mcmonkeyprojects/SwarmUI T2IModelHandler
(.swarm.json, .thumb.jpg); BlafKing/sd-civitai-browser-plus (.api_info.json, .html);
huggingface/peft utils/constants.py (adapter_config.json); notes of other programs:
kanna.metadata.companions.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kanna.formats import MODEL_SUFFIXES
from kanna.metadata.companions import PREVIEWS, SOURCES

# behind the model's name without its suffix
OF_STEM: Final[Mapping[str, str]] = {
    ".yaml": "config", ".yml": "config",
    ".vae.pt": "vae", ".vae.ckpt": "vae", ".vae.safetensors": "vae",
    ".sha256": "digest",
    **dict.fromkeys(SOURCES.values(), "notes"),
    ".swarm.json": "notes", ".api_info.json": "notes", ".html": "notes",
    ".txt": "text", ".description.txt": "text", ".md": "text",
    **dict.fromkeys(PREVIEWS, "preview"),
    ".webm": "preview", ".preview.webm": "preview", ".avif": "preview", ".preview.avif": "preview",
    ".thumb.jpg": "preview", ".thumb.png": "preview",
}  # fmt: skip
# behind the whole name
OF_NAME: Final[Mapping[str, str]] = {
    ".sha256": "digest", ".optim": "optimizer", ".json": "notes", ".txt": "text", ".md": "text",
}  # fmt: skip
# under a name of their own, beside models of that stem alone
OF_FOLDER: Final[Mapping[str, Mapping[str, str]]] = {
    "adapter_model": {"adapter_config.json": "config"},
}
_NUMBERED: Final = re.compile(r"\.(?:preview|example)\.\d+\.(?:png|jpe?g|webp|gif|mp4|webm)")
INDEX: Final = re.compile(
    r"(?P<stem>.+?)(?:\.safetensors|\.bin)?\.index(?P<variant>\.\w+)?\.json", re.IGNORECASE
)
_VAE: Final = re.compile(r"(.+)\.vae", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """A file that belongs to a model: how it is called beside it, and what it is.

    `ending` is what stands behind the stem; empty for a name of its own. `shared` says that it
    belongs to every model of that stem, not to one.
    """

    name: str
    role: str
    ending: str
    shared: bool


@dataclass(slots=True)
class Listing:
    """The names in a folder, by what all companions of a model begin with."""

    names: Mapping[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> Listing:
        """List the files and links of a folder.

        Raises:
            OSError: it cannot be read.
        """
        found: dict[str, list[str]] = {}
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    found.setdefault(_beginning(entry.name), []).append(entry.name)
        return cls(found)

    def beginning_with(self, stem: str) -> list[str]:
        """Return the names that consist of `stem` and something behind a dot, in order."""
        dotted = os.path.normcase(stem) + "."
        near = self.names.get(_beginning(stem), [])
        return sorted(name for name in near if os.path.normcase(name).startswith(dotted))


def stem_of(name: str) -> str:
    """Return what a model's companions share with its name: all but the suffix of a model."""
    if index := INDEX.fullmatch(name):
        return index[1]
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, no path
    return stem if suffix.lower() in MODEL_SUFFIXES and stem else name


def belongings(name: str, listing: Listing) -> Iterator[Belonging]:
    """Yield the companions of the model called `name`, those of a VAE among them included."""
    stem = stem_of(name)
    for role in (OF_FOLDER.get(stem.lower()) or {}).items():
        if role[0] in listing.beginning_with(stem_of(role[0]).partition(".")[0]):
            yield Belonging(name=role[0], role=role[1], ending="", shared=True)
    for other in listing.beginning_with(stem):
        if os.path.normcase(other) == os.path.normcase(name):
            continue
        behind = other[len(stem) :]
        of_name = other[len(name) :] if other.startswith(name) else ""
        if role_of_name := OF_NAME.get(of_name.lower()):
            yield Belonging(name=other, role=role_of_name, ending=behind, shared=False)
        elif role_of_stem := _role(behind):
            yield Belonging(name=other, role=role_of_stem, ending=behind, shared=True)
            if role_of_stem == "vae":
                yield from _of_vae(other, stem, listing)


def models_of(stem: str, listing: Listing) -> list[str]:
    """Return the models that bear a stem: ``model.safetensors``, ``model.ckpt``, an index."""
    return [name for name in listing.beginning_with(stem) if is_model(name, stem)]


def is_model(name: str, stem: str) -> bool:
    """Whether a name is that of a model of this very stem."""
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - likewise
    index = INDEX.fullmatch(name) is not None
    return (suffix in MODEL_SUFFIXES or index) and stem_of(name) == stem


def owner_of_vae(name: str, listing: Listing) -> str | None:
    """Return the model whose companion the VAE called `name` is, or None."""
    found = _VAE.fullmatch(stem_of(name))
    models = models_of(found[1], listing) if found else []
    return models[0] if models else None


def _of_vae(name: str, stem: str, listing: Listing) -> Iterator[Belonging]:
    """Yield what belongs to a VAE that is a companion itself, and is nothing of the model's."""
    for one in belongings(name, listing):
        if _role(one.name[len(stem) :]) is None:
            yield Belonging(name=one.name, role=one.role, ending=one.name[len(stem) :], shared=True)


def _role(behind: str) -> str | None:
    """Return what a file is whose name has this behind the stem."""
    if role := OF_STEM.get(behind.lower()):
        return role
    return "preview" if _NUMBERED.fullmatch(behind.lower()) else None


def _beginning(name: str) -> str:
    return os.path.normcase(name.partition(".")[0])
