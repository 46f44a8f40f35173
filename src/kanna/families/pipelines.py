"""Diffusers folders as data: which pipeline a model makes, its components and their configs.

The tables are ``families/diffusers/*.toml``. They are read when a folder is planned, and never to
recognise a file.
"""

from __future__ import annotations

import fnmatch
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from kanna.families.shape_rules import Shapes, derive, value_of

_HERE: Final = Path(__file__).parent / "diffusers"
_STEMS: Final = {"diffusers": "diffusion_pytorch_model", "transformers": "model"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A model class of diffusers or transformers: its config, and the layout of its names.

    `config` are constants, `derived` rules for `kanna.families.shape_rules`. `identity` tells the
    name and the size of a matrix that is the identity where the file leaves it out. `unused` are
    patterns of names that the class has no place for, by the layout of the file, or ``any``.
    """

    name: str
    library: str
    class_name: str
    layout: str
    config: Mapping[str, Any]
    derived: Mapping[str, Any]
    identity: Mapping[str, Any] | None = None
    unused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def stem(self) -> str:
        """What its weights are called, without ending and shard number."""
        return _STEMS[self.library]

    def configuration(self, shapes: Shapes, dtype: str) -> dict[str, Any]:
        """Return its ``config.json`` for tensors of these `shapes`; `dtype` is torch's name.

        Raises:
            Underivable: a tensor that its config follows from is not there.
        """
        values = {key: _null(value) for key, value in self.config.items()}
        values |= derive(self.derived, shapes)
        if self.library == "transformers":
            return {**values, "architectures": [self.class_name], "torch_dtype": dtype}
        return {**_header(self.class_name), **values}

    def has_no_place_for(self, names: Collection[str], layout: str | None) -> set[str]:
        """Return those of `names`, as its own layout has them, that it does not take.

        `layout` is the one that the file has. ``{last}`` is the highest number at its place.
        """
        patterns = (*self.unused.get("any", ()), *self.unused.get(layout or "", ()))
        return {
            name for pattern in patterns for name in fnmatch.filter(names, _filled(pattern, names))
        }

    def identity_matrix(self, shapes: Shapes) -> tuple[str, int] | None:
        """Return name and side of the identity matrix that tensors of `shapes` leave out.

        Raises:
            Underivable: the tensor that its size follows from is not there.
        """
        if self.identity is None or self.identity["name"] in shapes:
            return None
        return self.identity["name"], value_of(self.identity, shapes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Component:
    """One entry of ``model_index.json``: a model, a scheduler, something else, or nothing.

    `folder` is its name. A model is made from the file's part with the role or word `part`;
    of `schedulers` the first that fits is taken; with neither, only `library` and `class_name` are
    known, and without those the entry is empty.
    """

    folder: str
    part: str | None = None
    model: Model | None = None
    schedulers: tuple[str, ...] = ()
    library: str | None = None
    class_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pipeline:
    """A pipeline class of diffusers for some models: its components, where a whole one is found.

    `values` are settings that stand in ``model_index.json`` beside the components.
    """

    name: str
    class_name: str
    repository: str
    components: tuple[Component, ...]
    values: Mapping[str, Any] = field(default_factory=dict)

    def index(self, schedulers: Mapping[str, str]) -> dict[str, Any]:
        """Return ``model_index.json``; `schedulers` are the classes chosen, by component."""
        entries: dict[str, Any] = {}
        for one in self.components:
            if one.schedulers:
                entries[one.folder] = ["diffusers", schedulers[one.folder]]
            elif one.model is not None:
                entries[one.folder] = [one.model.library, one.model.class_name]
            else:
                entries[one.folder] = [one.library, one.class_name]
        return {**_header(self.class_name), **self.values, **entries}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scheduler:
    """A scheduler with its settings, as ``scheduler_config.json`` has them."""

    class_name: str
    config: Mapping[str, Any]


def pipelines_for(
    architecture: str, variants: Collection[str], prediction: str | None
) -> tuple[Pipeline, ...]:
    """Return the pipelines that such a model can make, the likeliest first.

    Several `variants` are possible; a row that names predictions wants `prediction` among them.
    """
    return tuple(
        _pipeline(row)
        for row in _of(architecture, variants)
        if "predictions" not in row or prediction in row["predictions"]
    )


def predictions_of(architecture: str, variants: Collection[str]) -> tuple[str, ...]:
    """Return the predictions between which the pipelines of such a model differ."""
    rows = _of(architecture, variants)
    return tuple(dict.fromkeys(word for row in rows for word in row.get("predictions", ())))


def scheduler_for(
    names: Collection[str], prediction: str | None, markers: Collection[str]
) -> Scheduler | None:
    """Return the first scheduler of `names` that fits what a model predicts and its `markers`."""
    types = _tables()["prediction_types"]
    for name in names:
        row = _rows("scheduler")[name]
        fits = "predictions" not in row or prediction in row["predictions"]
        if not fits or row.get("marker", "") not in {"", *markers}:
            continue
        config = {**_header(row["class"]), **row["config"]}
        if "predictions" in row and prediction is not None:
            config["prediction_type"] = types[prediction]
        return Scheduler(class_name=row["class"], config=config)
    return None


def scheduler_names() -> tuple[str, ...]:
    """Return the names of all schedulers."""
    return tuple(_rows("scheduler"))


@cache
def model(name: str) -> Model:
    """Return the model row called `name`."""
    row = _whole("model", name)
    return Model(
        name=name,
        library=row["library"],
        class_name=row["class"],
        layout=row["layout"],
        config=row.get("config", {}),
        derived=row.get("derived", {}),
        identity=row.get("identity"),
        unused={layout: tuple(names) for layout, names in row.get("unused", {}).items()},
    )


def every_pipeline() -> Iterator[Pipeline]:
    """Yield all pipelines."""
    for name in _rows("pipeline"):
        yield _pipeline(_whole("pipeline", name))


def _of(architecture: str, variants: Collection[str]) -> list[dict[str, Any]]:
    rows = (_whole("pipeline", name) for name in _rows("pipeline"))
    return [
        row
        for row in rows
        if row["architecture"] == architecture
        and (not variants or "variants" not in row or set(variants) & set(row["variants"]))
    ]


def _pipeline(row: Mapping[str, Any]) -> Pipeline:
    return Pipeline(
        name=row["name"],
        class_name=row["class"],
        repository=row["repository"],
        components=tuple(
            _component(folder, entry) for folder, entry in sorted(row["components"].items())
        ),
        values=row.get("values", {}),
    )


def _component(folder: str, entry: Mapping[str, Any]) -> Component:
    return Component(
        folder=folder,
        part=entry.get("word", entry.get("role")),
        model=model(entry["model"]) if "model" in entry else None,
        schedulers=tuple(entry.get("schedulers", ())),
        library=entry.get("library"),
        class_name=entry.get("class"),
    )


@cache
def _tables() -> dict[str, Any]:
    """Return all tables as one document: lists of the same name joined."""
    document: dict[str, Any] = {}
    for path in sorted(_HERE.glob("*.toml")):
        for key, value in tomllib.loads(path.read_text(encoding="utf-8")).items():
            document[key] = [*document.get(key, ()), *value] if isinstance(value, list) else value
    return document


@cache
def _rows(kind: str) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in _tables()[kind]}


def _whole(kind: str, name: str) -> dict[str, Any]:
    """Return a row with what it has from the row that it is like; tables in it are joined."""
    row = _rows(kind)[name]
    base = _whole(kind, row["like"]) if "like" in row else {}
    both = {key: {**base[key], **row[key]} for key in row if _table(base, key) and _table(row, key)}
    return {**base, **row, **both}


def _table(row: Mapping[str, Any], key: str) -> bool:
    return isinstance(row.get(key), dict)


def _header(class_name: str) -> dict[str, str]:
    version = _tables()["version"]["diffusers"]
    return {"_class_name": class_name, "_diffusers_version": version}


def _null(value: Any) -> Any:
    return None if value == "none" else value


def _filled(pattern: str, names: Collection[str]) -> str:
    """Return `pattern` with the highest number that `names` have at its ``{last}``."""
    start, found, _ = pattern.partition("{last}")
    if not found:
        return pattern
    numbers = (re.match(re.escape(start) + "([0-9]+)", name) for name in names)
    return pattern.replace("{last}", str(max((int(n[1]) for n in numbers if n), default=0)))
