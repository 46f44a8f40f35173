from typing import TypeAlias

_Buffer: TypeAlias = memoryview | bytearray | bytes
_Out: TypeAlias = memoryview | bytearray
_Counts: TypeAlias = tuple[int, int, int, int]

def weighted_sum(
    out: _Out,
    out_code: int,
    inputs: tuple[_Buffer, ...],
    in_codes: tuple[int, ...],
    weights: tuple[float, ...],
    count: int,
    double: bool,
    /,
) -> _Counts: ...
def max_abs(data: _Buffer, code: int, count: int, /) -> tuple[float, int]: ...
def compare(
    first: _Buffer, first_code: int, second: _Buffer, second_code: int, count: int, /
) -> tuple[int, float, float, float, float, float]: ...
def pack4(
    packed: _Out, absmax: _Out, data: _Buffer, code: int, count: int, table: bytes, block: int, /
) -> _Counts: ...
def pack8(
    packed: _Out, absmax: _Out, data: _Buffer, code: int, count: int, table: bytes, block: int, /
) -> _Counts: ...
def unpack4(
    out: _Out, code: int, packed: _Buffer, absmax: _Buffer, count: int, table: bytes, block: int, /
) -> _Counts: ...
def unpack8(
    out: _Out, code: int, packed: _Buffer, absmax: _Buffer, count: int, table: bytes, block: int, /
) -> _Counts: ...
def paths() -> list[str]: ...
def use_path(name: str, /) -> None: ...
