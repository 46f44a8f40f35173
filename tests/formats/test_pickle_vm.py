from __future__ import annotations

import contextlib
import pickle
from collections import OrderedDict
from pathlib import PurePosixPath
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanna.disk import InputFile
from kanna.errors import FormatError
from kanna.formats.checkpoint.pickle_nodes import Call, Global, PersistentId
from kanna.formats.checkpoint.pickle_vm import Pickle, read_pickle, read_pickle_at

PROTOCOLS = range(6)

_whole = st.integers(-(2**500), 2**500)
_scalars = st.one_of(
    st.none(), st.booleans(), _whole, st.floats(allow_nan=False), st.text(st.characters())
)
_keys = st.one_of(st.text(st.characters()), st.integers(-(2**60), 2**60), st.none(), st.booleans())
_plain = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(_keys, inner, max_size=5),
    ),
    max_leaves=40,
)
_binary = st.one_of(
    st.binary(),
    st.binary().map(bytearray),
    st.sets(_keys),
    st.frozensets(st.one_of(_keys, st.tuples(_keys, _keys))),
)


def read(data: bytes) -> Pickle:
    return read_pickle(data, path="some.pt")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(value=_plain)
@settings(deadline=None, max_examples=60)
def test_plain_data_reads_back_equal(value: object, protocol: int) -> None:
    data = pickle.dumps(value, protocol)
    found = read(data + b"more")
    assert repr(found.value) == repr(value)
    assert found.end == len(data)
    assert found.globals == ()


@pytest.mark.parametrize("protocol", [4, 5])
@given(value=st.lists(_binary, max_size=4))
@settings(deadline=None, max_examples=60)
def test_bytes_and_sets_read_back_equal(value: list[object], protocol: int) -> None:
    filtered = value if protocol == 5 else [v for v in value if type(v) is not bytearray]
    assert read(pickle.dumps(filtered, protocol)).value == filtered


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_long_strings_and_many_frames_read_back_equal(protocol: int) -> None:
    value = [{"text": "é" * 70_000}, list(range(100_000)), "a" * 300, ("x",) * 5]
    assert read(pickle.dumps(value, protocol)).value == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shared_objects_stay_shared(protocol: int) -> None:
    inner: list[int] = [1]
    found = read(pickle.dumps([inner, inner], protocol)).value
    assert isinstance(found, list)
    assert found[0] is found[1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_objects_become_calls_with_their_names(protocol: int) -> None:
    found = read(pickle.dumps(OrderedDict(a=1, b=2), protocol))
    assert type(found.value) is Call
    assert type(found.value.function) is Global
    assert found.value.function.dotted == "collections.OrderedDict"
    (use,) = found.globals
    assert (use.module, use.name, use.called) == ("collections", "OrderedDict", True)


class _Stateful:
    def __init__(self) -> None:
        self.answer = 42


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_state_is_kept_beside_the_object_and_set_nowhere(protocol: int) -> None:
    found = read(pickle.dumps(_Stateful(), protocol)).value
    assert type(found) is Call
    assert found.states == [{"answer": 42}]


def test_a_class_that_is_only_named_is_not_called() -> None:
    (use,) = read(pickle.dumps(PurePosixPath, 4)).globals
    assert (use.dotted, use.called) == ("pathlib.PurePosixPath", False)


def test_positions_of_globals_point_at_their_opcodes() -> None:
    data = pickle.dumps([PurePosixPath, OrderedDict], 0)
    for use in read(data).globals:
        assert data[use.position : use.position + 1] == b"c"


def test_old_module_names_are_known_by_their_new_ones() -> None:
    (use,) = read(b"c__builtin__\nset\n.").globals
    assert (use.module, use.dotted) == ("__builtin__", "builtins.set")


def test_persistent_ids_are_kept_in_order() -> None:
    found = read(b"(K\x01QK\x02Qt.")
    assert found.persistent == (1, 2)
    assert isinstance(found.value, tuple)
    assert all(type(node) is PersistentId for node in found.value)


@pytest.mark.parametrize(
    ("stream", "value"),
    [
        (b"I01\n.", True),
        (b"I00\n.", False),
        (b"I-7\n.", -7),
        (b"L12L\n.", 12),
        (b"Fnan\n.", "nan"),
        (b"S'a\\x41\\n\\101\\'\\q'\n.", "aA\nA'\\q"),
        (b"U\x02\xc3\xa9.", "é"),
        (b"U\x01\xe9.", b"\xe9"),
        (b"Va\\u00e9\n.", "aé"),
        (b"(lp0\nI1\na.", [1]),
        (b"(dp0\nS'a'\nI1\ns.", {"a": 1}),
        (b"((lI1\nt.", ([], 1)),
        (b"N(KK0(11.", None),
    ],
)  # fmt: skip
def test_text_protocols_are_read(stream: bytes, value: Any) -> None:
    found = read(stream).value
    assert found == value or str(found) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_stream_cut_anywhere_is_refused(protocol: int) -> None:
    data = pickle.dumps({"a": [1, 2.5, "text", (None, True)], "b": 2**70}, protocol)
    for end in range(len(data)):
        with pytest.raises(FormatError):
            read(data[:end])


@given(data=st.binary(max_size=60))
@settings(deadline=None, max_examples=300)
def test_random_bytes_are_refused_or_read(data: bytes) -> None:
    for stream in (data, data + b".", b"(" + data + b"t."):
        with contextlib.suppress(FormatError):
            assert read(stream).end <= len(stream)


def test_a_stream_longer_than_the_first_look_is_read_from_a_file(tmp_path: Any) -> None:
    value = list(range(400_000))
    data = pickle.dumps(value, 2)
    path = tmp_path / "long.pkl"
    path.write_bytes(b"before" + data + b"after")
    found = read_pickle_at(InputFile(path), 6)
    assert found.value == value
    assert found.end == 6 + len(data)
