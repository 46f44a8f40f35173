"""The globals that model files name, and what each stands for. Everything else is an inert stub.

Nothing here is ever imported: a name is text, and the table says how the data beside it reads.
Source: torch.serialization, torch._utils, torch._tensor, torch.storage; the ``__reduce__`` methods
of Python's own types, numpy, PyTorch Lightning and OmegaConf.
"""

from __future__ import annotations

from typing import Final

from kanna.dtypes import STORAGES, TORCH, UINT8, DType

# Rebuilding functions: least and most arguments, and the place of the dtype (None: the storage's).
REBUILDERS: Final[dict[str, tuple[int, int, int | None]]] = {
    "torch._utils._rebuild_tensor": (4, 4, None),
    "torch._utils._rebuild_tensor_v2": (6, 7, None),
    "torch._utils._rebuild_tensor_v3": (7, 8, 6),
}
REBUILD_FROM_TYPE: Final = "torch._tensor._rebuild_from_type_v2"
# Their first argument is the tensor itself.
WRAPPERS: Final = frozenset({
    "torch._utils._rebuild_parameter",
    "torch._utils._rebuild_parameter_with_state",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
})  # fmt: skip
PLAIN_TYPES: Final = frozenset({
    "torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer", "torch.nn.parameter.UninitializedParameter",
})  # fmt: skip
# Understood, but no container that kanna writes can hold them: the reason, as a message.
NOT_CONVERTIBLE: Final[dict[str, str]] = {
    "torch._utils._rebuild_sparse_tensor": "checkpoint.refused_sparse",
    "torch._utils._rebuild_sparse_csr_tensor": "checkpoint.refused_sparse",
    "torch._utils._rebuild_nested_tensor": "checkpoint.refused_nested",
    "torch._utils._rebuild_qtensor": "checkpoint.refused_quantized",
    "torch._utils._rebuild_xla_tensor": "checkpoint.refused_device",
    "torch._utils._rebuild_device_tensor_from_numpy": "checkpoint.refused_device",
    "torch._utils._rebuild_device_tensor_from_cpu_tensor": "checkpoint.refused_device",
    "torch._utils._rebuild_meta_tensor_no_storage": "checkpoint.refused_meta",
    "torch._utils._rebuild_wrapper_subclass": "checkpoint.refused_subclass",
}
TENSORS: Final = frozenset({*REBUILDERS, REBUILD_FROM_TYPE, *WRAPPERS, *NOT_CONVERTIBLE})

UNTYPED: Final = "torch.storage.UntypedStorage"
# Storage classes and their dtypes; None: quantised numbers, which mean nothing without their scale.
STORAGE_TYPES: Final[dict[str, DType | None]] = {
    **{f"{module}.{name}": dtype for module in ("torch", "torch.cuda")
       for name, dtype in STORAGES.items()},
    **{f"torch.{name}Storage": None
       for name in ("QInt8", "QUInt8", "QInt32", "QUInt4x2", "QUInt2x4")},
    UNTYPED: UINT8,
}  # fmt: skip
DTYPES: Final[dict[str, DType]] = {f"torch.{name}": dtype for name, dtype in TORCH.items()}

MAPPINGS: Final = frozenset({
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "builtins.dict",
})  # fmt: skip
SEQUENCES: Final = frozenset({
    "builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "collections.deque",
    "torch.Size",
})  # fmt: skip
NUMPY_SCALAR: Final = "numpy._core.multiarray.scalar"
BYTES_AS_TEXT: Final = "_codecs.encode"
PATHS: Final = frozenset(
    f"pathlib.{name}" for name in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
)
# Configuration objects whose whole content is one attribute.
CONTENT: Final = {
    "omegaconf.dictconfig.DictConfig": "_content",
    "omegaconf.listconfig.ListConfig": "_content",
    **{f"omegaconf.nodes.{kind}Node": "_val"
       for kind in ("Any", "Boolean", "Bytes", "Enum", "Float", "Integer", "Path", "String")},
}  # fmt: skip
_RECORDS: Final = frozenset({
    *(f"builtins.{name}" for name in ("bool", "bytearray", "bytes", "complex", "float", "int",
                                      "object", "range", "slice", "str")),
    *(f"{package}.callbacks.model_checkpoint.ModelCheckpoint"
      for package in ("pytorch_lightning", "lightning.pytorch")),
    *(f"{package}.utilities.parsing.AttributeDict"
      for package in ("pytorch_lightning", "lightning.pytorch", "lightning.fabric")),
    *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
    *(f"numpy.dtypes.{name}DType"
      for name in ("Bool", "Float16", "Float32", "Float64", "Int8", "Int16", "Int32", "Int64",
                   "UInt8", "UInt16", "UInt32", "UInt64")),
    "argparse.Namespace", "types.SimpleNamespace", "typing.Any", "builtins.Ellipsis",
    "numpy.dtype", "numpy.ndarray", "numpy._core.multiarray._reconstruct",
    "numpy._core.numeric._frombuffer", "torch.torch_version.TorchVersion",
    "omegaconf.base.ContainerMetadata", "omegaconf.base.Metadata",
    "torch.Tensor", "torch.device", "torch.serialization._get_layout",
    *(f"torch.{name}" for name in ("per_tensor_affine", "per_channel_affine",
                                   "per_channel_affine_float_qparams", "per_tensor_symmetric",
                                   "per_channel_symmetric")),
    *(f"torch.{name}" for name in ("qint8", "qint32", "quint8", "quint4x2", "quint2x4", "bits8",
                                   "bits16", "bits1x8", "bits2x4", "bits4x2", "float4_e2m1fn_x2")),
    *(f"torch.{sign}int{bits}" for sign in ("", "u") for bits in range(1, 8)),
    *(f"{module}.{kind}Tensor" for module in ("torch", "torch.cuda", "torch.sparse",
                                              "torch.cuda.sparse")
      for kind in ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long",
                   "Short")),
})  # fmt: skip

KNOWN: Final = frozenset({
    *TENSORS, *PLAIN_TYPES, *STORAGE_TYPES, *DTYPES, *MAPPINGS, *SEQUENCES, *PATHS, *CONTENT,
    *_RECORDS, NUMPY_SCALAR, BYTES_AS_TEXT,
})  # fmt: skip
