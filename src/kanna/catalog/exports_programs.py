"""Lists for programs: where the models are, as ComfyUI and InvokeAI are told.

YAML is written with every text in double quotes, which are JSON's but for letters beyond 16 bits.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Final

from kanna.catalog.asking import FoundFile
from kanna.catalog.store import Library, path_of
from kanna.families.places import folders

# ComfyUI's folder_paths.py: old keys that it maps to the new ones itself are not written.
_NOT_THERE: Final = {"unknown", "training_state", "safety_checker", "detector"}
_CONFIG: Final = "configs/stable-diffusion/v1-inference.yaml"
_SIZES: Final = {"sd1": 512, "sd2": 768, "sdxl": 1024}


def comfyui(library: Library, files: Sequence[FoundFile]) -> str:
    """Return an ``extra_model_paths.yaml``: for each kind of model the folders that hold it.

    A folder that a program keeps for one kind is named as such; of the others, the innermost one
    with all files of the kind. Source of the form: ComfyUI extra_model_paths.yaml.example,
    utils/extra_config.py; a key's folders are the lines of its text.
    """
    keys: dict[str, dict[str, None]] = defaultdict(dict)
    for kind, folder in _kept(library, files):
        place = folders(kind).get("comfyui")
        if place is not None and kind not in _NOT_THERE:
            keys[PurePath(place).name].setdefault(str(folder))
    lines = [f"  {key}: {_text(chr(10).join(keys[key]))}" for key in sorted(keys)]
    return "\n".join(["kanna:", *lines]) + "\n" if lines else "{}\n"


def _kept(library: Library, files: Sequence[FoundFile]) -> Iterator[tuple[str, Path]]:
    """Yield each kind of model, and a folder that holds files of it."""
    rows = library.rows("SELECT path, kind FROM root ORDER BY path")
    roots = {path_of(row["path"]): row["kind"] for row in rows}
    found: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for file in files:
        root = next((folder for folder in file.path.parents if folder in roots), file.path.parent)
        kind = roots.get(root) if file.kind in {None, *_NOT_THERE} else file.kind
        if kind:
            found[root, kind].append(file.path.parent)
    for (root, kind), parents in found.items():
        yield kind, root if roots.get(root) == kind else _common(parents)


def _common(paths: Sequence[Path]) -> Path:
    """Return the innermost folder that holds all of these."""
    first, *others = paths
    whole = (first, *first.parents)
    return next(one for one in whole if all(one == p or one in p.parents for p in others))


def invokeai(files: Sequence[FoundFile]) -> str:
    """Return a ``models.yaml`` as InvokeAI 2 reads it and later ones take it over: checkpoints.

    The config is the file's own, beside it, else InvokeAI's for SD 1; a VAE beside it goes along.
    Source of the form: aka7774/sd_filer, Make InvokeAI models.yaml.
    """
    lines = []
    names: dict[str, int] = {}
    for file in files:
        if file.kind != "checkpoint":
            continue
        stem = file.path.stem
        names[stem] = names.get(stem, 0) + 1
        name = stem if names[stem] == 1 else f"{stem}-{names[stem]}"
        config, vae = file.path.with_suffix(".yaml"), file.path.with_name(f"{stem}.vae.pt")
        side = _SIZES.get(file.architecture or "", 512)
        lines += [
            f"{_text(name)}:",
            f"  description: {_text(file.title or file.name)}",
            f"  weights: {_text(str(file.path))}",
            f"  config: {_text(str(config) if config.is_file() else _CONFIG)}",
            f"  width: {side}",
            f"  height: {side}",
            *[f"  vae: {_text(str(vae))}"] * vae.is_file(),
        ]
    return "\n".join(lines) + "\n" if lines else "{}\n"


def _text(text: str) -> str:
    """Return a text in double quotes, everything that does not print escaped."""
    quoted = json.dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
