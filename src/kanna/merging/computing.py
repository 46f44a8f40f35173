"""Steps that are no sums: views whose numbers torch computes when they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from kanna.dtypes import FP32
from kanna.errors import MissingExtra, UsageError
from kanna.kernel import Counts, max_abs
from kanna.merging.method import Method
from kanna.model import TensorInfo
from kanna.views.computed import computed, copies_of, fp32_of
from kanna.views.lost import tell


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One method for one tensor: of which tensors, with which parameters, where.

    `tensors` are those of the models, of one shape. `measured` gives what was measured of all
    tensors before, where the method wants that.
    """

    method: Method
    tensors: tuple[TensorInfo, ...]
    base: TensorInfo | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    measured: Callable[[], Any] | None = None

    @property
    def name(self) -> str:
        """The tensor's name."""
        return self.tensors[0].name

    @property
    def reads(self) -> tuple[TensorInfo, ...]:
        """Everything that it is made of."""
        return (*self.tensors, *((self.base,) if self.base else ()))

    @property
    def copies(self) -> int:
        """How many times the tensor in fp32 is held at the peak."""
        each, beside = self.method.copies
        return each * len(self.reads) + beside + max(map(copies_of, self.reads))

    def run(self, function: Callable[..., Any], first: int, count: int, *, flat: bool) -> Any:
        """Return what `function` makes of `count` numbers from `first` on.

        Raises:
            FormatError: a file does not hold what its header says.
        """
        given = [fp32_of(one, first, count) for one in self.tensors]
        base = fp32_of(self.base, first, count) if self.base else None
        named = dict(self.parameters)
        if self.measured is not None:
            named["measured"] = self.measured()
        return import_module("kanna.tensor_math.buffers").call(
            function, given, base, (count,) if flat else self.tensors[0].shape, named,
            device=self.device, seeds=self._seeds(),
        )  # fmt: skip

    def _seeds(self) -> list[int]:
        return [
            seed_of(self.seed, index, self.name)
            for index in range(len(self.tensors))
            if self.method.random
        ]


def view(call: Call) -> TensorInfo:
    """Return what the method makes, in fp32, computed when it is read: run by run where it can."""
    first = call.tensors[0]
    function = call.method.call()
    flat = call.method.kind == "elementwise"

    def run(start: int, count: int, out: memoryview) -> None:
        result = call.run(function, start, count, flat=flat)
        import_module("kanna.tensor_math.buffers").put(result, out)
        _tell_of_lost(call, start, count, out)

    whole = not flat or any(one.data.whole for one in call.reads)
    return computed(first.name, first.shape, run, numel=first.numel, whole=whole,
                    copies=call.copies, inputs=call.reads)  # fmt: skip


def _tell_of_lost(call: Call, first: int, count: int, out: memoryview) -> None:
    """Tell of NaN and Inf that were made of good numbers alone."""
    _, lost = max_abs(out, FP32, count)
    if lost and not any(max_abs(fp32_of(one, first, count), FP32, count)[1] for one in call.reads):
        tell(Counts(nan_made=lost))


class Measuring:
    """What a method wants to know of all tensors before it makes the first: a pass of its own.

    The engine calls `run` before it reads for the output.
    """

    def __init__(self, method: Method) -> None:
        """Start without any tensors to measure for `method`."""
        self._method = method
        self._calls: list[Call] = []
        self._found: Any = None

    def add(self, call: Call) -> None:
        """Let `call` be measured, too."""
        self._calls.append(call)

    @property
    def traffic(self) -> int:
        """The bytes that the pass reads; 0 where it is done."""
        if self._found is not None:
            return 0
        return sum(tensor.nbytes for call in self._calls for tensor in call.reads)

    def run(self, tick: Callable[[int], None]) -> None:
        """Measure every tensor, once; call `tick` with the bytes read so far."""
        if self._found is not None:
            return
        found, done = [], 0
        for call in self._calls:
            function = call.method.call_measure()
            found.append(call.run(function, 0, call.tensors[0].numel, flat=False))
            done += sum(tensor.nbytes for tensor in call.reads)
            tick(done)
        conclude = self._method.call_conclude()
        self._found = conclude(found) if conclude else found

    def result(self) -> Any:
        """Return what was measured, in the order of the tensors, or what that comes to.

        Raises:
            RuntimeError: the pass was not made.
        """
        if self._found is None:
            raise RuntimeError("nothing was measured")
        return self._found


def seed_of(seed: int, model: int, name: str) -> int:
    """Return the seed for one model's tensor: it depends on no order and on no other tensor."""
    digest = hashlib.sha256(f"{seed}:{model}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def require_torch(method: str, device: str = "cpu") -> None:
    """Refuse a step that needs torch, or a device, where there is none.

    Raises:
        MissingExtra: torch is not installed.
        UsageError: it has no such device.
    """
    if not find_spec("torch"):
        raise MissingExtra("merge.needs_torch", method=method)
    require_device(device)


def require_device(device: str) -> None:
    """Refuse a device that torch, which must be there, does not have.

    Raises:
        UsageError: it is one.
    """
    try:
        import_module("kanna.tensor_math.buffers").check_device(device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError("merge.no_device", device=device) from error
