"""A plan in the making: the outputs so far, and what each step did to them.

The one mutable value of the planning stage. `convert` starts it from a file, passes it from step to
step (EMA, pruning, VAE …), and freezes it into a `Plan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kanna.errors import Incompatible
from kanna.identity import Identity
from kanna.model import ModelFile, Note
from kanna.plan import Output


@dataclass(slots=True)
class Draft:
    """The outputs so far, by name and in order.

    `roles` says which part an output belongs to (``diffusion_model``, ``text_encoder``, ``vae``,
    ``ema`` …); `fixed` names outputs whose dtype no option changes (markers, schedules, ids).
    `done` is the record of what was done, as plain data; `tags` become part of a suggested name.
    """

    model: ModelFile
    identity: Identity
    outputs: dict[str, Output]
    roles: dict[str, str]
    fixed: set[str]
    inputs: list[ModelFile]
    notes: list[Note] = field(default_factory=list)
    done: dict[str, object] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, model: ModelFile, identity: Identity) -> Draft:
        """Start from a file: every tensor as it is, in file order."""
        roles = {name: part.role for part in identity.parts for name in part.names}
        roles |= dict.fromkeys(identity.ema.pairs.values(), "ema")
        fixed = {*identity.markers, *identity.ema.extra}
        fixed |= {name for group in identity.junk for name in group.names}
        fixed |= {key.name for key in identity.position_ids.keys}
        outputs = {name: Output.of(tensor) for name, tensor in model.items()}
        return cls(model, identity, outputs, roles, fixed, [model])

    def remove(self, names: Iterable[str]) -> int:
        """Take outputs away and return how many bytes they had."""
        gone = [self.outputs.pop(name) for name in names if name in self.outputs]
        return sum(output.nbytes for output in gone)

    def put(self, output: Output, role: str) -> None:
        """Add an output, or put it in the place of the one with its name."""
        self.outputs[output.name] = output
        self.roles[output.name] = role
        self.fixed.discard(output.name)

    def rename(self, names: Mapping[str, str]) -> None:
        """Give outputs new names in their old places.

        Raises:
            Incompatible: a new name is taken.
        """
        taken = set(self.outputs) - set(names)
        for name in names.values():
            if name in taken:
                raise Incompatible("layout.twice", path=self.model.path, name=name)
            taken.add(name)
        self.outputs = {
            names.get(name, name): replace(output, name=names.get(name, name))
            for name, output in self.outputs.items()
        }
        self.roles = {names.get(name, name): role for name, role in self.roles.items()}
        self.fixed = {names.get(name, name) for name in self.fixed}

    def note(self, key: str, *, warning: bool = False, **values: object) -> None:
        """Tell the reader of the plan something."""
        self.notes.append(Note(key, values, warning))
