def weighted_sum(
    out: memoryview | bytearray,
    out_code: int,
    inputs: tuple[memoryview | bytearray | bytes, ...],
    in_codes: tuple[int, ...],
    weights: tuple[float, ...],
    count: int,
    double: bool,
    /,
) -> tuple[int, int, int, int]: ...
def paths() -> list[str]: ...
def use_path(name: str, /) -> None: ...
