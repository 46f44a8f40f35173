"""The rows of the tables as values, and how each is made of what TOML holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from kanna.families.keys import expand_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kanna.families.keys import ShapeRule


# A text by language.
Spoken: TypeAlias = "Mapping[str, str]"
# The judge of rows whose architecture is that of the model that has the layers which they change.
BY_LAYERS: Final = "layers"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Choice:
    """One row of a list of which the first that holds is taken: a variant, say, or a base model.

    It holds where every line of `all`, one of `any` and none of `none` is in the file. A line is a
    name and a shape (see `kanna.families.keys`): relative to the part, ``:`` in front for a whole
    name, ``*`` for any name with that end. `candidates` are names that nothing here can separate;
    `layout` asks for the file's layout. The rest is what the row says of a file where it holds;
    `why` is the end of a message key.
    """

    name: str | None = None
    candidates: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    layout: str | None = None
    needs: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    prediction: str | None = None
    shared_with: str | None = None
    certainty: str | None = None
    why: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """The name, or all candidates."""
        return self.candidates or ((self.name,) if self.name else ())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Family:
    """One architecture: what it is for, which parts it needs, how its variants are told apart.

    A row of `peeks` names vectors whose standard deviation, above or below a threshold, settles
    what the header leaves open. `vae` names the architecture whose VAE it takes; `vae_prefix`
    stands before it in a checkpoint (empty where `vae` is None). `half` is the 16-bit dtype that
    holds its activations; `vae_overflows` says that those of its own VAE leave the range of fp16.
    `whole` says that programs load its checkpoints whole, `position_ids` that strict readers ask
    those for the ids, `told_by_name` that programs take the ending of a file's name for a variant.
    """

    name: str
    title: str
    vae: str | None = None
    vae_prefix: str = ""
    tasks: tuple[str, ...] = ()
    resolution: int | None = None
    half: str = "fp16"
    vae_overflows: bool = False
    whole: bool = False
    position_ids: bool = False
    told_by_name: bool = False
    needs: tuple[str, ...] = ()
    variants: tuple[Choice, ...] = ()
    predictions: tuple[Choice, ...] = ()
    peeks: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Component:
    """One model in one layout: how it is recognised and, where known, all its tensors.

    `required` and `optional` map names to shape rules; both are empty for a row that recognises by
    signature only; `stem` is what all of them begin with. `holds` are prefixes inside it under
    which another model is a piece of this one. `aliases` are other spellings of a piece of a name.
    `tails` take tensors by the end of their name, whatever stands before it; `widths` take a file
    of nothing but vectors of such a width, `encoders` name the text encoder by that width.
    `words` are the pieces of all its names but their last ones, where a row without a key list has
    them. `by_layers` says that the paths and widths of its modules decide its architecture (see
    `kanna.families.layers`).
    """

    id: str
    role: str
    family: str
    architecture: str | None
    architectures: tuple[str, ...]
    variants: tuple[str, ...]
    layout: str | None
    stem: str
    holds: tuple[str, ...]
    prediction: str | None
    needs: tuple[str, ...]
    tails: tuple[str, ...]
    widths: Mapping[str, str]
    encoders: Mapping[str, str]
    aliases: tuple[tuple[str, str], ...]
    architecture_choices: tuple[Choice, ...]
    by_layers: bool
    variant_choices: tuple[Choice, ...]
    required: Mapping[str, ShapeRule | None]
    optional: Mapping[str, ShapeRule | None]
    words: frozenset[str]


def make_family(name: str, raw: Mapping[str, Any]) -> Family:
    """Return the family of a raw table.

    Raises:
        KeyError: a field is missing.
        TypeError: a field is not what it must be.
    """
    vae = raw.get("vae")
    return Family(
        name=name,
        title=raw["title"],
        vae=vae,
        vae_prefix=raw["vae_prefix"] if vae else "",
        tasks=tuple(raw.get("tasks", ())),
        resolution=raw.get("resolution"),
        half=raw.get("half", "fp16"),
        vae_overflows=raw.get("vae_overflows", False),
        whole=raw.get("whole", False),
        position_ids=raw.get("position_ids", False),
        told_by_name=raw.get("told_by_name", False),
        needs=tuple(raw.get("needs", ())),
        variants=make_choices(raw.get("variant", ())),
        predictions=make_choices(raw.get("prediction", ())),
        peeks=tuple(raw.get("peek", ())),
    )


def make_component(raw: Mapping[str, Any], document: Mapping[str, Any]) -> Component:
    """Return the component of a raw row, its key lists expanded.

    Raises:
        KeyError: a field, or something that the row refers to, is missing.
        TypeError: a field is not what it must be.
        ValueError: a key list cannot be expanded.
    """
    home = document["families"][raw["family"]]
    own = home.get("keys", {})
    architectures = tuple(raw.get("architectures", ()))
    judge = raw.get("architectures_by", BY_LAYERS)
    shared = {} if judge == BY_LAYERS else document["choices"][judge]
    return Component(
        id=raw["id"],
        role=raw["role"],
        family=raw["family"],
        architecture=_architecture(raw, architectures, home),
        architectures=architectures,
        variants=tuple(raw.get("variants", ())),
        layout=raw.get("layout"),
        stem=raw.get("stem", ""),
        holds=tuple(raw.get("holds", ())),
        prediction=raw.get("prediction"),
        needs=tuple(raw.get("needs", ())),
        tails=tuple(raw.get("tails", ())),
        widths=raw.get("widths", {}),
        encoders=raw.get("encoders", {}),
        aliases=tuple((old, new) for old, new in raw.get("aliases", ())),
        architecture_choices=make_choices(raw.get("architecture_rows") or shared.get("row", ())),
        by_layers=raw.get("architectures_by") == BY_LAYERS,
        variant_choices=make_choices(raw.get("variant", ())),
        required=dict(expand_lines(_lines(own, raw.get("keys", ())))),
        optional=dict(expand_lines(_lines(own, raw.get("optional", ())))),
        words=frozenset(raw.get("words", "").split()),
    )


def make_choices(rows: Iterable[Mapping[str, Any]]) -> tuple[Choice, ...]:
    """Return raw rows as choices, in order.

    Raises:
        TypeError: a row has a field that no choice has.
    """
    return tuple(Choice(**tuples(row)) for row in rows)


def _architecture(
    raw: Mapping[str, Any], architectures: tuple[str, ...], home: Mapping[str, Any]
) -> str | None:
    """A row's own word, its only candidate, or its family's name where that is one."""
    if "architecture" in raw:
        return str(raw["architecture"])
    if architectures:
        return architectures[0] if len(architectures) == 1 else None
    return None if home.get("mixed") else str(raw["family"])


def _lines(own: Mapping[str, str], names: Iterable[str]) -> list[str]:
    return [line for name in names for line in own[name].split("\n") if line]


def tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a raw row with tuples for lists: the fields of a value that is made of it."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
