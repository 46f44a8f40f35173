"""Every rule of the safetensors header, broken once."""

from __future__ import annotations

import struct

import pytest

from containers import opened, small, with_length
from kanna.errors import FormatError

GOOD = '"dtype":"F32","shape":[1],"data_offsets":[0,4]'


def entry(dtype: str = '"F32"', shape: str = "[1]", offsets: str = "[0,4]") -> bytes:
    return f'{{"w":{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}}}}}'.encode()


def two(first: str, second: str) -> bytes:
    return (
        f'{{"a":{{"dtype":"U8","shape":[2],"data_offsets":{first}}},'
        f'"b":{{"dtype":"U8","shape":[2],"data_offsets":{second}}}}}'
    ).encode()


BROKEN_HEADERS = {
    "nothing but a bracket": (b'["w"]    ', "st_header_start"),
    "space before the brace": (b" {}", "st_header_start"),
    "no UTF-8": (b'{"\xff":1}', "json_invalid"),
    "a trailing comma": (b'{"w":{' + GOOD.encode() + b"},}", "json_invalid"),
    "two values": (b"{}{}", "json_invalid"),
    "NaN": (entry(shape="[NaN]"), "json_invalid"),
    "half a surrogate pair": (b'{"__metadata__":{"a":"\\ud800"}}', "json_invalid"),
    "five thousand digits": (entry(shape="[" + "9" * 5000 + "]"), "json_invalid"),
    "deep arrays": (b'{"w":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "json_nested"),
    "deep objects": (b'{"w":' * 50_000 + b"1" + b"}" * 50_000, "json_nested"),
    "millions of values": (b'{"w":[' + b"0," * 3_000_001 + b"0]}", "json_crowded"),
    "a tensor twice": (f'{{"w":{{{GOOD}}},"w":{{{GOOD}}}}}'.encode(), "duplicate"),
    "metadata twice": (b'{"__metadata__":{},"__metadata__":{}}', "duplicate"),
    "a metadata key twice": (b'{"__metadata__":{"a":"1","a":"1"}}', "duplicate"),
    "a field twice": (b'{"w":{"dtype":"F32",' + GOOD.encode() + b"}}", "st_fields"),
    "a field twice, one missing": (
        b'{"w":{"dtype":"F32","dtype":"F32","shape":[]}}',
        "st_fields",
    ),
    "a field too many": (b'{"w":{"more":1,' + GOOD.encode() + b"}}", "st_fields"),
    "a field too few": (b'{"w":{"dtype":"F32","shape":[1]}}', "st_fields"),
    "a list for an entry": (b'{"w":[1,2,3]}', "st_fields"),
    "metadata that is a list": (b'{"__metadata__":["a"]}', "st_metadata"),
    "metadata with a number": (b'{"__metadata__":{"a":1}}', "st_metadata"),
    "metadata with an object": (b'{"__metadata__":{"a":{}}}', "st_metadata"),
    "a dtype in lower case": (entry(dtype='"f32"'), "st_dtype"),
    "a dtype of another world": (entry(dtype='"Q4_0"'), "st_dtype"),
    "no dtype": (entry(dtype="null"), "st_dtype"),
    "a list for a dtype": (entry(dtype='["F32"]'), "st_dtype"),
    "true for a size": (entry(shape="[true]"), "st_shape"),
    "a fraction for a size": (entry(shape="[1.0]"), "st_shape"),
    "a text for a size": (entry(shape='["1"]'), "st_shape"),
    "a negative size": (entry(shape="[-1]"), "st_shape"),
    "a number for a shape": (entry(shape="1"), "st_shape"),
    "a hundred dimensions": (entry(shape=str([1] * 100)), "st_shape"),
    "a shape beyond 64 bits": (entry(shape="[4294967296,4294967296]"), "st_shape"),
    "an overflow behind a zero": (entry(shape="[0,4294967296,4294967296]"), "st_shape"),
    "one offset": (entry(offsets="[0]"), "st_offsets"),
    "three offsets": (entry(offsets="[0,4,4]"), "st_offsets"),
    "true for an offset": (entry(offsets="[0,true]"), "st_offsets"),
    "fractions for offsets": (entry(offsets="[0.0,4.0]"), "st_offsets"),
    "negative offsets": (entry(offsets="[-4,0]"), "st_offsets"),
    "reversed offsets": (entry(offsets="[4,0]"), "st_offsets"),
    "offsets beyond 64 bits": (
        entry(offsets="[36893488147419103232,36893488147419103236]"),
        "st_offsets",
    ),
    "a span that is too long": (entry(offsets="[0,8]"), "st_size"),
    "a span that is too short": (entry(shape="[2]"), "st_size"),
    "half a byte": (entry(dtype='"F4"', shape="[1]", offsets="[0,1]"), "st_size"),
    "overlapping tensors": (two("[0,2]", "[1,3]"), "st_gap"),
    "two tensors in one place": (two("[0,2]", "[0,2]"), "st_gap"),
    "a hole": (two("[0,2]", "[3,5]"), "st_gap"),
    "a late start": (two("[1,3]", "[3,5]"), "st_gap"),
}


@pytest.mark.parametrize("case", BROKEN_HEADERS)
def test_a_broken_header_is_refused_for_what_it_is(case: str) -> None:
    header, key = BROKEN_HEADERS[case]
    with pytest.raises(FormatError) as caught, opened(with_length(header, bytes(5))):
        pass
    assert caught.value.key == f"formats.{key}"
    assert len(caught.value.message) < 1000


BROKEN_FILES = {
    "a length above the limit": (
        struct.pack("<Q", 100_000_001) + b"{}" + bytes(9),
        "st_header_length",
    ),
    "a length of one": (struct.pack("<Q", 1) + b"{}" + bytes(9), "st_header_length"),
    "an end inside the header": (small("w")[:40], "st_header_cut"),
    "an end inside the data": (small("w")[:-1], "cut_short"),
    "bytes after the data": (small("w") + b"x", "st_trailing"),
}


@pytest.mark.parametrize("case", BROKEN_FILES)
def test_a_broken_file_is_refused_for_what_it_is(case: str) -> None:
    content, key = BROKEN_FILES[case]
    with pytest.raises(FormatError) as caught, opened(content):
        pass
    assert caught.value.key == f"formats.{key}"


def test_a_full_length_of_spaces_after_the_header_is_fine() -> None:
    with opened(with_length(b"{}" + b" " * 1000)) as model:
        assert not model


def test_names_of_strangers_are_escaped_where_they_are_shown() -> None:
    header = b'{"\\u001b[31m\\u202e":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}'
    with pytest.raises(FormatError) as caught, opened(with_length(header, bytes(4))):
        pass
    assert caught.value.message.isprintable()
    assert "\\x1b[31m\\u202e" in caught.value.message


def test_a_header_full_of_wide_letters_is_refused_before_it_takes_memory() -> None:
    header = b'{"__metadata__":{"a":"' + "😀".encode() * 6_200_000 + b'"}}'
    with pytest.raises(FormatError), opened(with_length(header)):
        pass
