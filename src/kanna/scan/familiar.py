"""Classes that are no part of a model and often beside one: trainers, their settings, modules.

A file that needs them is not clean, because loading it imports the program that has them; but it is
what honest programs write. Only classes count, and only where they are made empty: any other name,
and any call with arguments, is unknown code, but for the few that are listed.
Sources: the packages of PyTorch Lightning 2.6, Ultralytics 8.4, timm 1.0, OmegaConf 2.4, diffusers
0.42, transformers, accelerate 1.15 and PEFT 0.21; of YOLOv5 and YOLOv7 (``models``), BasicSR and
OpenCLIP what their files are known to name.
"""

from __future__ import annotations

import re
from typing import Final

# Storage classes of torch that readers of kanna do not take, and harmless helpers of numpy.
ALSO_KNOWN: Final = frozenset({
    "torch.storage.TypedStorage", "torch.storage._TypedStorage", "torch.storage._UntypedStorage",
})  # fmt: skip
# The way Python 2 and protocols 0 and 1 make objects: ``(class, base, state)``.
RECONSTRUCTOR: Final = "copyreg._reconstructor"

_PACKAGES: Final = (
    "torch.nn.modules", "torch.nn.parameter", "torch.optim", "torch.amp.grad_scaler",
    "torch.cuda.amp.grad_scaler", "pytorch_lightning.callbacks", "lightning.pytorch.callbacks",
    "pytorch_lightning.utilities.enums", "omegaconf", "ultralytics.nn", "ultralytics.utils",
    "models.yolo", "models.common", "timm.models", "timm.layers", "diffusers.models",
    "diffusers.configuration_utils", "diffusers.schedulers", "transformers.models",
    "transformers.training_args", "transformers.trainer_utils", "transformers.trainer_pt_utils",
    "transformers.configuration_utils", "accelerate.utils.dataclasses",
    "accelerate.state", "ldm.modules", "ldm.models", "ldm.lr_scheduler", "sgm.modules",
    "open_clip.model", "open_clip.transformer", "basicsr.archs", "peft.utils",
)  # fmt: skip
_TORCHSCRIPT: Final = "__torch__"  # classes that lie in the file itself; rule KS208 tells of them
_CLASS: Final = re.compile(r"_?[A-Z][A-Za-z0-9_]*")
# Makers of typed lists in TorchScript; lists come as their one argument.
LISTS: Final = frozenset(
    f"torch.jit._pickle.build_{kind}list" for kind in ("int", "tensor", "double", "bool")
)
# Enumerations, which are made of one word.
ENUMERATIONS: Final = frozenset({
    *(f"transformers.trainer_utils.{name}" for name in (
        "IntervalStrategy", "SchedulerType", "HubStrategy", "SaveStrategy", "EvaluationStrategy",
        "HPSearchBackend", "FSDPOption")),
    "transformers.training_args.OptimizerNames", "transformers.training_args.ParallelMode",
    *(f"accelerate.utils.dataclasses.{name}" for name in (
        "ComputeEnvironment", "DistributedType", "DynamoBackend", "LoggerType", "PrecisionType")),
    "peft.utils.peft_types.PeftType", "peft.utils.peft_types.TaskType",
})  # fmt: skip
# Values of Python and numpy that trainers keep: numbers, ids, states of random generators. What
# makes them takes plain data, or a class that is judged for itself.
VALUES: Final = frozenset({
    "decimal.Decimal", "fractions.Fraction", "uuid.UUID", "random.Random",
    *(f"numpy.random._pickle.{name}" for name in (
        "__bit_generator_ctor", "__generator_ctor", "__randomstate_ctor")),
    *(f"numpy.random.{name}" for name in (
        "_mt19937.MT19937", "_pcg64.PCG64", "_pcg64.PCG64DXSM", "_philox.Philox", "_sfc64.SFC64",
        "bit_generator.SeedSequence", "bit_generator.__pyx_unpickle_SeedSequence")),
})  # fmt: skip
# Functions of torch that pickled modules keep as their activation; loading calls none of them.
_ACTIVATIONS: Final = frozenset({
    *(f"torch.nn.functional.{name}" for name in (
        "celu", "elu", "glu", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "log_softmax",
        "mish", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "tanh")),
    "torch._C._nn.gelu", "torch._C._nn.softplus",
})  # fmt: skip


def is_familiar(module: str, name: str) -> bool:
    """Whether ``module.name`` is a class of a program that honest files come from, or as good."""
    if f"{module}.{name}" in _ACTIVATIONS:
        return True
    if module == _TORCHSCRIPT or module.startswith(_TORCHSCRIPT + "."):
        return True
    within = any(module == package or module.startswith(package + ".") for package in _PACKAGES)
    return within and _CLASS.fullmatch(name) is not None
