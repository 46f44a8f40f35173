"""How the known globals are used by those who write models; another use is suspicious."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from kanna.formats.checkpoint import torch_names as names
from kanna.formats.checkpoint.pickle_nodes import Global

if TYPE_CHECKING:
    from kanna.formats.checkpoint.pickle_nodes import Call

_MAX_COUNT: Final = 1 << 26  # no builtin of a model file makes more elements than that
_CODECS: Final = frozenset({"latin1", "latin-1"})
_FACTORIES: Final = frozenset(
    f"builtins.{name}" for name in ("dict", "list", "int", "set", "float", "str")
)
_NUMERIC: Final = re.compile(r"[<>=|]?[biufcSU?]\d*")
_NEVER_CALLED: Final = frozenset({*names.STORAGE_TYPES, *names.DTYPES, "typing.Any"})
_COUNTED: Final = frozenset(
    f"builtins.{name}" for name in ("bytearray", "bytes", "list", "range", "set", "tuple")
)


def unusual_use(call: Call, name: str) -> bool:
    """Whether a known global is called in a way that no writer of models calls it."""
    if name in _NEVER_CALLED:
        return True
    check = _CHECKS.get(name)
    if check is not None and not check(call):
        return True
    return name in _COUNTED and any(
        type(number) is int and abs(number) > _MAX_COUNT for number in call.arguments
    )


def _is_bytes(call: Call) -> bool:
    text, *codec = call.arguments or (None,)
    return type(text) is str and (not codec or (len(codec) == 1 and codec[0] in _CODECS))


def _has_plain_factory(call: Call) -> bool:
    factory = call.arguments[0] if call.arguments else None
    return factory is None or (type(factory) is Global and factory.dotted in _FACTORIES)


def _is_numeric(call: Call) -> bool:
    kind = call.arguments[0] if call.arguments else None
    if type(kind) is Global:
        return kind.dotted in names.KNOWN
    return type(kind) is str and _NUMERIC.fullmatch(kind) is not None


def _has_number_type(call: Call) -> bool:
    return bool(call.arguments) and type(call.arguments[0]) is not Global


_CHECKS: Final[dict[str, Callable[[Call], bool]]] = {
    names.BYTES_AS_TEXT: _is_bytes,
    "collections.defaultdict": _has_plain_factory,
    "numpy.dtype": _is_numeric,
    names.NUMPY_SCALAR: _has_number_type,
}
