"""The config that A1111 and Forge read beside a model: which one, what is in it, what it says."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from kanna.families.pages import page_tables

_NOTHING: Final = "null"
_ABSENT: Final = "absent"
# Source: lllyasviel/stable-diffusion-webui-forge backend/loader.py reads these two and no more.
_PARAMETERIZATION: Final = ("model", "params", "parameterization")
_SCALING: Final = ("model", "params", "denoiser_config", "params", "scaling_config", "target")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Config:
    """A config: the name under which it is known, whether A1111 does without, its document."""

    file: str
    guessed: bool
    document: Mapping[str, Any]


def config_for(architecture: str, variants: Collection[str], prediction: str) -> Config | None:
    """Return the config of a model, or None where no row fits; several `variants` are possible."""
    for row in _rows().values():
        if (row["architecture"], row["prediction"]) != (architecture, prediction):
            continue
        if "variants" not in row or set(variants) & set(row["variants"]):
            return Config(
                file=row["file"], guessed=row.get("guessed", False), document=_nested(_values(row))
            )
    return None


def predictions(architecture: str, variants: Collection[str]) -> tuple[str, ...]:
    """Return the predictions for which the tables have a config of such a model."""
    return tuple(
        row["prediction"]
        for row in _rows().values()
        if row["architecture"] == architecture
        and ("variants" not in row or set(variants) & set(row["variants"]))
    )


def predicted_by(document: object) -> str:
    """Return what a config says the model predicts: ``v``, or ``epsilon`` where it says nothing."""
    scaling = _at(document, _SCALING)
    if _at(document, _PARAMETERIZATION) == "v":
        return "v"
    return "v" if isinstance(scaling, str) and scaling.endswith(".VScaling") else "epsilon"


def differences(there: object, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the dotted keys at which a config says something else than the `wanted` one.

    A key that only one of them has is no difference, except for what the model predicts.
    """
    found = [
        key
        for key, value in _leaves(wanted, ())
        if (said := _at(there, tuple(key.split(".")))) is not None and said != value
    ]
    if predicted_by(there) != predicted_by(wanted):
        found.insert(0, ".".join(_PARAMETERIZATION))
    return tuple(dict.fromkeys(found))


def markers_for(architecture: str, prediction: str, *, zero_snr: bool) -> tuple[str, ...]:
    """Return the names of the empty tensors that say of a model what it predicts."""
    return tuple(
        row["name"]
        for row in page_tables()["configs"]["marker"]
        if architecture in row["architectures"]
        and row.get("prediction", prediction) == prediction
        and (zero_snr or not row.get("zero_snr"))
    )


def marker_names() -> tuple[str, ...]:
    """Return every empty tensor that can be put into a model."""
    return tuple(row["name"] for row in page_tables()["configs"]["marker"])


def _rows() -> dict[str, dict[str, Any]]:
    return {row["file"]: row for row in page_tables()["configs"]["config"]}


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    base = _values(_rows()[row["like"]]) if "like" in row else {}
    return {**base, **row["values"]}


def _nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return dotted keys as the tree that they stand for."""
    tree: dict[str, Any] = {}
    for key, value in values.items():
        if value == _ABSENT:
            continue
        *above, last = key.split(".")
        place = tree
        for word in above:
            place = place.setdefault(word, {})
        place[last] = None if value == _NOTHING else value
    return tree


def _leaves(tree: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    for word, value in tree.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*above, word))
        else:
            yield ".".join((*above, word)), value


def _at(document: object, path: tuple[str, ...]) -> object:
    """Return what stands at `path` of plain data, or None."""
    for word in path:
        document = document.get(word) if isinstance(document, Mapping) else None
    return document
