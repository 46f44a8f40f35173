"""A recipe's steps as sums of tensors, one tensor at a time; nothing is read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, Protocol

from kanna.errors import Incompatible, UsageError
from kanna.families.blocks import Place
from kanna.merging import compat
from kanna.merging.computing import Call, Measuring, require_torch, view
from kanna.merging.method import Method
from kanna.merging.parameters import Given, parameters_of
from kanna.merging.recipe import Recipe, Step, Weight
from kanna.merging.registry import method_called
from kanna.merging.terms import Sum, Term, as_tensor, combined, constant
from kanna.model import TensorInfo
from kanna.views.columns import beside, columns

_ON_A_DEVICE: Final = Method(
    name="weighted-sum", kind="elementwise", function="kanna.tensor_math.linear:weighted_sum",
    models=None,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delta:
    """What a LoRA adds to one weight.

    `adds` gets the weight as it is so far, which some kinds have to know (DoRA), and the strength,
    which is no factor of what some add (BOFT). `encoder` says that the weight is a text encoder's.
    """

    adds: Callable[[TensorInfo, float], Sum]
    encoder: bool = False


class Weighing(Protocol):
    """What parameters and methods are for one tensor: see `kanna.merging.weights`."""

    def number(self, weight: Weight, name: str) -> float:
        """Return the number for the tensor `name`."""

    def method(self, step: Step, name: str) -> str:
        """Return the method that `step` uses for the tensor `name`."""

    def place(self, name: str) -> Place | None:
        """Return where the tensor `name` is, if that is known."""


class Graph:
    """The steps of `recipe` over open files.

    `models` are the tensors of each source under the names of the leading model; `loras` map the
    names that a LoRA changes to what it adds. `measured_names` are the tensors that a method which
    measures looks at before the first is made.
    """

    def __init__(
        self,
        recipe: Recipe,
        models: Mapping[str, Mapping[str, TensorInfo]],
        weighing: Weighing,
        *,
        loras: Mapping[str, Mapping[str, Delta]] | None = None,
        measured_names: Iterable[str] = (),
        device: str = "cpu",
    ) -> None:
        """Check that every step can be computed here.

        Raises:
            MissingExtra: a step needs torch, which is not installed.
            UsageError: there is no such method or device.
        """
        self._models = models
        self._loras = loras or {}
        self._steps = {step.name: step for step in recipe.steps}
        self._weighing = weighing
        self._compat = recipe.compat
        self._device = device
        self._measured_names = tuple(measured_names)
        self._measurings: dict[tuple[str, str], Measuring] = {}
        self._made_before: dict[tuple[str, str], Sum | None] = {}
        for step in recipe.steps:
            self._check(step)

    def _check(self, step: Step) -> None:
        for word in dict.fromkeys((step.method, *step.block_methods.values())):
            if word != "lora" and (method_called(word).kind != "linear" or self._device != "cpu"):
                require_torch(word, self._device)

    @property
    def measurements(self) -> tuple[Measuring, ...]:
        """The passes that must be made before the sums that were asked for are read."""
        return tuple(self._measurings.values())

    def sum_of(self, at: str, name: str) -> Sum | None:
        """Return what the source or the step `at` has for the tensor `name`; None: it has none.

        A model of a step that lacks a tensor has no say in it: where not all have it, it is that of
        the first one that does.

        Raises:
            Incompatible: the models' shapes differ.
            UsageError: a parameter makes no sense.
        """
        if (at, name) not in self._made_before:
            self._made_before[at, name] = self._sum(at, name)
        return self._made_before[at, name]

    def _sum(self, at: str, name: str) -> Sum | None:
        step = self._steps.get(at)
        if step is None:
            tensor = self._models[at].get(name)
            return None if tensor is None else (Term(tensor),)
        if step.method == "lora":
            return self._with_loras(step, name)
        sums = [self.sum_of(one, name) for one in step.inputs]
        found = [one for one in sums if one is not None]
        if len(found) < len(sums):
            return found[0] if found else None
        shapes = [_shape(one) for one in found]
        if len(set(shapes)) == 1:
            return self._made(step, name, found)
        return self._first_channels(step, name, found, shapes)

    def _first_channels(
        self, step: Step, name: str, found: Sequence[Sum], shapes: Sequence[tuple[int, ...]]
    ) -> Sum:
        """Merge the channels that all have; the others are the first model's, which has most."""
        lead, width = shapes[0], min(shape[1] if len(shape) > 1 else 0 for shape in shapes)
        if not width or any((s[0], s[2:]) != (lead[0], lead[2:]) or s[1] > lead[1] for s in shapes):
            raise Incompatible("merge.shapes_differ", name=name, first=_by(lead),
                               second=_by(next(s for s in shapes if s != lead)))  # fmt: skip
        whole = [as_tensor(one) for one in found]
        narrow: list[Sum] = [(Term(columns(one, 0, width)),) for one in whole]
        made = as_tensor(self._made(step, name, narrow))
        return (Term(beside(made, columns(whole[0], width, lead[1]))),)

    def _made(self, step: Step, name: str, sums: Sequence[Sum]) -> Sum:
        method = method_called(self._weighing.method(step, name))
        if any(word in name for word in method.spares):
            return sums[0]
        given = parameters_of(method, step, lambda weight: self._weighing.number(weight, name))
        if self._compat == "a1111":
            return compat.rounded_as_a1111(method, sums, given)
        if method.placed:
            return self._placed(method, name, sums, given)
        if method.kind == "linear":
            weights = method.call()(len(sums), **given)
            if self._device == "cpu":
                return combined(zip(sums, weights, strict=True))
            method, given = _ON_A_DEVICE, {"weights": weights}
        call = self._call(method, step, sums, given)
        if method.measure is not None:
            measuring = self._measuring(method, step)
            call = replace(call, measured=measuring.result)
        return (Term(view(call)),)

    def _placed(self, method: Method, name: str, sums: Sequence[Sum], given: Given) -> Sum:
        """Return what a method makes that knows where the tensor is: a sum, and what it adds."""
        weights, added = method.call()(len(sums), place=self._weighing.place(name), **given)
        parts = list(zip(sums, weights, strict=True))
        return combined([*parts, (constant(sums[0], added), 1.0)] if added else parts)

    def _call(self, method: Method, step: Step, sums: Sequence[Sum], given: Given) -> Call:
        tensors = [as_tensor(one) for one in sums]
        base = tensors.pop() if step.base and method.base != "none" else None
        return Call(method=method, tensors=tuple(tensors), base=base, parameters=given,
                    seed=step.seed, device=self._device)  # fmt: skip

    def _measuring(self, method: Method, step: Step) -> Measuring:
        """Return the pass over all merged tensors that `method` needs."""
        key = step.name, method.name
        if key not in self._measurings:
            measuring = self._measurings[key] = Measuring(method)
            for name in self._measured_names:
                sums = [self.sum_of(one, name) for one in step.inputs]
                found = [one for one in sums if one is not None]
                if len(found) == len(sums) and len({_shape(one) for one in found}) == 1:
                    number = partial(self._weighing.number, name=name)
                    given = parameters_of(method, step, number)
                    measuring.add(self._call(method, step, found, given))
        return self._measurings[key]

    def _with_loras(self, step: Step, name: str) -> Sum | None:
        """Return the model's tensor and what the LoRAs add to it, one after the other."""
        model, *loras = step.models
        terms = self.sum_of(model, name)
        if terms is None:
            return None
        for at, lora in enumerate(loras):
            delta = self._loras[lora].get(name)
            strength = self._strength(step, name, at, delta) if delta else 0.0
            if delta and strength:
                terms = combined([(terms, 1.0), (delta.adds(as_tensor(terms), strength), 1.0)])
        return terms

    def _strength(self, step: Step, name: str, at: int, delta: Delta) -> float:
        """Return how much of the LoRA `at` a weight gets; text encoders can have their own."""
        own = step.parameters.get("te_weights") if delta.encoder else None
        weights = own or step.parameters.get("weights", ())
        if not isinstance(weights, tuple) or at >= len(weights):
            raise UsageError("merge.wrong_count", method=step.method, parameter="weights",
                             count=len(weights) if isinstance(weights, tuple) else 1,
                             models=len(step.models) - 1)  # fmt: skip
        return self._weighing.number(weights[at], name)


def _shape(terms: Sum) -> tuple[int, ...]:
    return terms[0].tensor.shape


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
