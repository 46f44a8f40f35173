"""Where a model of each kind goes below one folder: the folders of the program that lies there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from kanna.errors import UnknownModel
from kanna.families.places import folders, kind_words

# Programs that look for models in folders by kind; a folder of nobody is laid out as the first.
LAYOUTS: Final = ("comfyui", "forge", "a1111")
_MODELS: Final = "models"


def layout_of(folder: Path) -> str:
    """Return the program whose folders are below `folder`, or the first where there are none."""
    there = Counter(
        layout
        for kind in kind_words()
        for layout in LAYOUTS
        if layout in folders(kind) and _place(folder, folders(kind)[layout]).is_dir()
    )
    return max(LAYOUTS, key=lambda layout: there[layout])


def place_for(folder: Path, kind: str, layout: str) -> Path:
    """Return where `layout` keeps models of `kind` below `folder`, which may be ``models`` itself.

    Raises:
        UnknownModel: it has no folder for this kind.
    """
    found = folders(kind).get(layout)
    if found is None:
        raise UnknownModel("watch.no_folder", path=folder, kind=kind, program=layout)
    return _place(folder, found)


def _place(folder: Path, below: str) -> Path:
    first, _, rest = below.partition("/")
    inside = folder.name.lower() == _MODELS and first == _MODELS
    return folder / rest if inside else folder / below
