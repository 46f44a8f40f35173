"""The attacks, by what a reader must make of them.

`READABLE`: the file asks for something it should not, beside tensors that are in order; they must
be read right and nothing else may happen. `REFUSED`: nothing can be read, and an error must say so.
What they ask for is harmless: to create the file that `MARKER` stands for.
"""

from __future__ import annotations

import struct

from attacks.containers import LEGACY_MAGIC, legacy_file, legacy_tensor, zip_file
from attacks.pickles import MARK, PROTO2, call, name, storage, stream, tensor, text, value

MARKER = "kanna-attack-marker"
DATA = struct.pack("<6f", 1, 2, 3, 4, 5, 6)
NAME = "model.diffusion_model.out.0.weight"
_TOUCH = f"touch {MARKER}"
_OPEN = f"open({MARKER!r}, 'w')"

# Functions that loaders have been talked into calling; public advisories name all of them.
_GADGETS: tuple[tuple[str, str, tuple[object, ...]], ...] = (
    ("os", "system", (_TOUCH,)),
    ("posix", "system", (_TOUCH,)),
    ("nt", "system", (_TOUCH,)),
    ("subprocess", "check_output", (["touch", MARKER],)),
    ("subprocess", "Popen", (["touch", MARKER],)),
    ("pty", "spawn", (["touch", MARKER],)),
    ("builtins", "eval", (_OPEN,)),
    ("builtins", "exec", (_OPEN,)),
    ("builtins", "open", (MARKER, "w")),
    ("builtins", "__import__", ("antigravity",)),
    ("builtins", "map", (name("os", "system"), [_TOUCH])),
    ("__builtin__", "eval", (_OPEN,)),
    ("io", "open", (MARKER, "w")),
    ("_io", "FileIO", (MARKER, "w")),
    ("importlib", "import_module", ("antigravity",)),
    ("pkgutil", "resolve_name", ("os:system",)),
    ("pydoc", "locate", ("os.system",)),
    ("operator", "attrgetter", ("system",)),
    ("functools", "partial", (name("os", "system"), _TOUCH)),
    ("itertools", "starmap", (name("os", "system"), [(_TOUCH,)])),
    ("collections", "defaultdict", (name("os", "getcwd"),)),
    ("runpy", "run_path", (MARKER,)),
    ("marshal", "loads", ("",)),
    ("types", "FunctionType", ()),
    ("code", "InteractiveInterpreter", ()),
    ("cProfile", "run", (_OPEN,)),
    ("timeit", "timeit", (_OPEN,)),
    ("bdb", "Bdb", ()),
    ("asyncio.unix_events", "_UnixSubprocessTransport", ()),
    ("pip", "main", (["install", MARKER],)),
    ("logging", "FileHandler", (MARKER,)),
    ("sqlite3", "connect", (MARKER,)),
    ("socket", "create_connection", (("127.0.0.1", 9),)),
    ("urllib.request", "urlopen", ("http://127.0.0.1:9",)),
    ("ctypes", "CDLL", (MARKER,)),
    ("pickle", "loads", ("",)),
    ("torch", "load", (MARKER,)),
    ("torch.storage", "_load_from_bytes", ("",)),
    ("torch.hub", "load", (MARKER, MARKER)),
    ("torch.utils.collect_env", "run", (_TOUCH,)),
    ("torch.serialization", "os.system", (_TOUCH,)),
    ("numpy.testing._private.utils", "runstring", (_OPEN, {})),
    ("webbrowser", "open", ("http://127.0.0.1:9",)),
    ("kanna.api", "anything", ()),
)


def checkpoint(beside: bytes, weight: bytes | None = None) -> bytes:
    """Assemble a checkpoint with one good tensor and `beside` next to its state dict."""
    content = {"state_dict": {NAME: weight or tensor("0")}, "epoch": 3, "beside": beside}
    return stream(content)


def _zipped(beside: bytes) -> bytes:
    return zip_file(checkpoint(beside), {"0": DATA})


def _gadgets() -> dict[str, bytes]:
    calls = {f"{m}.{n}": _zipped(call(m, n, *a)) for m, n, a in _GADGETS}
    bare = {f"bare {m}.{n}": _zipped(name(m, n)) for m, n, _ in _GADGETS[::8]}
    return calls | bare


_SYSTEM = name("os", "system")
_PLANT = value({"__setstate__": _SYSTEM})
_WAYS_TO_CALL = {
    "INST": MARK + text(_TOUCH) + b"ios\nsystem\n",
    "OBJ": MARK + _SYSTEM + text(_TOUCH) + b"o",
    "NEWOBJ": _SYSTEM + value((_TOUCH,)) + b"\x81",
    "NEWOBJ_EX": _SYSTEM + value((_TOUCH,)) + value({}) + b"\x92",
    "STACK_GLOBAL": text("os") + text("system") + b"\x93" + value((_TOUCH,)) + b"R",
    "a memoised name": text("os") + b"q\x63" + b"0" + b"h\x63" + text("system") + b"\x93"
    + value((_TOUCH,)) + b"R",
    "a decoy popped": text("math") + b"0" + text("os") + text("system") + b"\x93"
    + value((_TOUCH,)) + b"R",
    "a result thrown away": call("os", "system", _TOUCH) + b"0N",
    "BUILD planting __setstate__": call("types", "SimpleNamespace") + _PLANT + b"b"
    + text(_TOUCH) + b"b",
    "BUILD on a known class": call("collections", "OrderedDict") + _PLANT + b"b"
    + text(_TOUCH) + b"b",
    "BUILD on a global": name("numpy", "__builtins__") + value({"len": _SYSTEM}) + b"b",
    "a call of a call": call("builtins", "getattr", name("os", "path"), "os") + value(()) + b"R",
    "terminal escapes in a name": call("os\x1b[2J\x07", "sys\rtem\u202e", 1),
    "a key that is a function": value({_SYSTEM: 1}),
    "a foreign storage class": storage("9", 1, "system", "os"),
    "a memo index of 2^32 - 1": b"Nr" + struct.pack("<I", 2**32 - 1),
    "a frozen set of functions": MARK + _SYSTEM + b"\x91",
}  # fmt: skip

READABLE: dict[str, bytes] = {
    **_gadgets(),
    **{what: _zipped(code) for what, code in _WAYS_TO_CALL.items()},
    "code after the end": zip_file(
        checkpoint(value(1)) + stream(call("os", "system", _TOUCH)), {"0": DATA}
    ),
    "code in another member": zip_file(
        checkpoint(value(1)), {"0": DATA}, extra={"x": stream(call("os", "system", _TOUCH))}
    ),
    "code in a legacy file": legacy_file(
        checkpoint(call("os", "system", _TOUCH), legacy_tensor("7", (2, 3), 6)), {"7": (6, DATA)}
    ),
    "code in a deflated file": zip_file(
        checkpoint(call("os", "system", _TOUCH)), {"0": DATA}, deflated=True
    ),
}

# By the message that refuses them; the code stands beside a good tensor.
_BROKEN_PICKLES: dict[str, dict[str, bytes]] = {
    "checkpoint.pickle_opcode": {
        "an extension code": b"\x82\x01",
        "a text persistent id": b"P0\n",
        "an out-of-band buffer": b"\x97",
        "an unknown opcode": b"\xff",
        "a second PROTO": PROTO2 + b"N",
    },
    "checkpoint.pickle_stack": {
        "a mark without end": MARK + b"N",
        "a tuple without mark": b"t",
        "an odd number of items": b"}" + MARK + text("a") + b"u",
    },
    "checkpoint.pickle_target": {
        "a name computed by a call": call("os", "getcwd") + text("system") + b"\x93",
        "items set on a list": b"]" + text("a") + b"N" + b"s",
        "an element added to a dict": b"}" + b"N" + b"a",
        "a state set on a number": b"K\x01" + b"}" + b"b",
        "a call of text": text("system") + b")R",
        "a call without a tuple": _SYSTEM + text(_TOUCH) + b"R",
    },
    "checkpoint.pickle_value": {
        "an unknown memo entry": b"h\x63",
        "a list as a key": b"}" + b"]" + b"N" + b"s",
        "a number with underscores": b"I1_000\n",
        "a number that is none": b"Lx\n",
        "a float with blanks": b"F 1.0\n",
        "text without quotes": b"Sabc\n",
        "keys made to collide": b"}" + MARK + b"".join(
            value(k * (2**61 - 1)) + b"N" for k in range(1, 50)) + b"u",
    },
    "checkpoint.pickle_duplicate": {
        "a key given twice": b"}" + MARK + (text("a") + b"N") * 2 + b"u",
    },
    "checkpoint.pickle_budget": {
        "text of 2^62 bytes": b"\x8d" + struct.pack("<Q", 2**62),
        "bytes of 2^62 bytes": b"\x8e" + struct.pack("<Q", 2**62),
        "a bytearray of 2^62 bytes": b"\x96" + struct.pack("<Q", 2**62),
        "an integer of negative length": b"\x8b" + struct.pack("<i", -1),
        "an integer of a megabyte": b"\x8b" + struct.pack("<i", 1 << 20) + bytes(1 << 20),
        "too many sets": b"\x8f" * 100_001,
        "too many opcodes": b"N0" * 1_000_001,
        "too many globals": b"".join(name("a", str(i)) + b"0" for i in range(10_001)),
    },
    "checkpoint.pickle_frame": {
        "a frame that cuts an argument": b"\x95" + struct.pack("<Q", 3) + text("abcdefgh"),
        "a frame in a frame": b"\x95" + struct.pack("<Q", 11) + b"\x95" + struct.pack("<Q", 2) + b"N0",
    },
    "checkpoint.pickle_truncated": {
        "a frame beyond the end": b"\x95" + struct.pack("<Q", 1 << 20) + b"N",
    },
}  # fmt: skip
_BROKEN_STREAMS: dict[str, dict[str, bytes]] = {
    "checkpoint.pickle_truncated": {
        "a pickle without STOP": checkpoint(value(1))[:-1],
        "nothing in the pickle": b"",
    },
    "checkpoint.pickle_opcode": {"a protocol of the future": b"\x80\x06" + checkpoint(b"N")[2:]},
    "checkpoint.pickle_stack": {"a STOP on nothing": b"."},
    "checkpoint.name_doubled": {
        "two tensors of one name": stream({"a.b": tensor("0"), "a": {"b": tensor("0")}}),
        "the names 1 and '1'": stream({1: tensor("0"), "1": tensor("0")}),
    },
    "checkpoint.name_type": {"a name that is None": stream({None: tensor("0")})},
    "checkpoint.expands": {
        "an expansion to 4 TiB": stream({NAME: tensor("0", size=(2**40,), stride=(0,))}),
        "2,000 expansions of one storage": stream(
            {f"w{i}": tensor("0", size=(10_000, 6), stride=(0, 1)) for i in range(2000)}),
    },
    "checkpoint.tensor_lie": {
        "items set on a tensor": stream({NAME: tensor("0") + text("a") + b"N" + b"s"}),
        "elements added to a tensor": stream({NAME: tensor("0") + b"N" + b"a"}),
        "one storage of two types": stream(
            {"a": tensor("0"), "b": tensor("0", kind="IntStorage")}),
    },
}  # fmt: skip

_LIES: dict[str, bytes] = {
    "more elements than the file has": tensor("0", (2, 4)),
    "fewer elements than the storage": tensor("0", (2, 2)),
    "a storage of 2^62 elements": tensor("0", storage_code=storage("0", 2**62)),
    "a storage of -1 elements": tensor("0", storage_code=storage("0", -1)),
    "a length that is a float": tensor("0", storage_code=storage("0", 6.0)),
    "a length that is a bool": tensor("0", storage_code=storage("0", True)),  # noqa: FBT003
    "a storage that is not there": tensor("9"),
    "a storage key that is a path": tensor("../0"),
    "a storage key that is a number": tensor("0", storage_code=storage(0, 6)),
    "a storage class of another module": tensor(
        "0", storage_code=storage("0", 6, "FloatStorage", "kanna")
    ),
    "a text in the storage's place": tensor("0", storage_code=text("0")),
    "a short persistent id": tensor("0", storage_code=value(("storage", "0")) + b"Q"),
    "a view past the end": tensor("0", offset=1),
    "a view before the start": tensor("0", offset=-1),
    "an offset that is a bool": tensor("0", offset=True),
    "a negative stride": tensor("0", stride=(3, -1)),
    "a stride past the end": tensor("0", stride=(4, 1)),
    "a stride of 2^62": tensor("0", stride=(2**62, 1)),
    "a negative size": tensor("0", size=(-2, 3)),
    "a shape that overflows": tensor("0", size=(2**32, 2**32), stride=(0, 0)),
    "a shape that wraps to zero behind a zero": tensor(
        "0", size=(2**40, 2**40, 2), stride=(0, 0, 0)
    ),
    "a shape that overflows behind a zero": tensor("0", size=(2**40, 2**40, 0), stride=(0, 0, 0)),
    "strides of another rank": tensor("0", stride=(1,)),
    "a shape that is text": tensor("0", size="23"),
    "sizes that are floats": tensor("0", size=(2.0, 3.0)),
    "10,000 dimensions": tensor("0", size=(1,) * 10_000, stride=(1,) * 10_000),
    "too few arguments": call("torch._utils", "_rebuild_tensor_v2", storage("0", 6), 0),
    "metadata that is no dict": tensor("0", more=([1],)),
    "wrappers around nothing": call("torch._utils", "_rebuild_parameter", 1, 2, 3),
}


_GOOD = zip_file(stream({NAME: tensor("0")}), {"0": DATA})
_LEGACY_PICKLE = stream({NAME: legacy_tensor("7", (2, 3), 6)})
_LEGACY = legacy_file(_LEGACY_PICKLE, {"7": (6, DATA)})


def _patched(data: bytes, old: bytes, new: bytes, count: int = 1) -> bytes:
    assert old in data
    return data.replace(old, new, count)


_CONTAINERS: dict[str, dict[str, bytes]] = {
    "checkpoint.only_code": {
        "nothing but code": zip_file(stream(call("os", "system", _TOUCH)), {}),
    },
    "checkpoint.zip_broken": {
        "bytes before the zip": b"PK\x03\x04junk" + _GOOD,
        "a wrong number of members": _patched(_GOOD, b"PK\x05\x06" + bytes(4) + b"\x03\0\x03\0",
                                              b"PK\x05\x06" + bytes(4) + b"\x02\0\x02\0"),
    },
    "checkpoint.zip_truncated": {
        "a zip cut short": _GOOD[:-30],
    },
    "checkpoint.zip_other": {
        "a zip without data.pkl": zip_file(b"", {"0": DATA}, root="x/").replace(b"data.pkl", b"data.pkx"),
    },
    "checkpoint.zip_roots": {
        "two folders": zip_file(stream({}), {}, extra={"../other/data.pkl": b""}).replace(
            b"archive/../other/", b"another/data/pkl/"
        ),
    },
    "checkpoint.torchscript": {
        "a program": zip_file(stream({}), {}, extra={"constants.pkl": b"", "code/m.py": b""}),
    },
    "checkpoint.byteorder": {
        "an unknown byte order": zip_file(stream({}), {}, extra={"byteorder": b"middle"}),
    },
    "checkpoint.pickle_budget": {
        "a pickle that inflates without end": zip_file(bytes(65 << 20), {}, deflated=True),
    },
    "checkpoint.zip_bomb": {
        "storages that inflate without end": zip_file(
            stream({}), {"0": bytes(130 << 20)}, deflated=True),
    },
    "checkpoint.not_torch": {
        "a magic number made by code": legacy_file(
            _LEGACY_PICKLE, {"7": (6, DATA)}, magic=stream(call("builtins", "eval", str(LEGACY_MAGIC)))),
        "another magic number": legacy_file(_LEGACY_PICKLE, {"7": (6, DATA)}, magic=stream(1234)),
        "a plain pickle": stream({NAME: 1}),
    },
    "checkpoint.legacy_version": {
        "another legacy version": legacy_file(_LEGACY_PICKLE, {"7": (6, DATA)}, protocol=1000),
        "code in the system pickle": legacy_file(
            _LEGACY_PICKLE, {"7": (6, DATA)}, system=call("os", "system", _TOUCH)),
    },
    "checkpoint.legacy_size": {
        "a legacy file cut short": _LEGACY[:-1],
        "a legacy file with more at the end": _LEGACY + b"\0",
    },
    "checkpoint.legacy_keys": {
        "a legacy storage that nothing declares": legacy_file(stream({}), {"7": (6, DATA)}),
    },
}  # fmt: skip

# What it is: the message that refuses it, and the file.
REFUSED: dict[str, tuple[str, bytes]] = {
    **{what: (key, _zipped(code))
       for key, group in _BROKEN_PICKLES.items() for what, code in group.items()},
    **{what: (key, zip_file(pickle, {"0": DATA}))
       for key, group in _BROKEN_STREAMS.items() for what, pickle in group.items()},
    **{what: ("checkpoint.tensor_lie", zip_file(stream({"state_dict": {NAME: code}}), {"0": DATA}))
       for what, code in _LIES.items()},
    **{what: (key, data) for key, group in _CONTAINERS.items() for what, data in group.items()},
}  # fmt: skip


def deep(levels: int) -> bytes:
    """Assemble a tuple in a tuple in a tuple …"""
    return b")" + b"\x85" * levels


def shared(levels: int) -> bytes:
    """Assemble 2 to the power of `levels` elements out of shared tuples."""
    return b")" + b"2\x86" * levels


CYCLE = b"]q\x00h\x00a"

# Endless structures beside good tensors: readable, and what is endless is cut off.
ENDLESS: dict[str, bytes] = {
    "200,000 levels": _zipped(deep(200_000)),
    "2^60 elements": _zipped(shared(60)),
    "a list that holds itself": _zipped(CYCLE),
    "a million copies": _zipped(b"]" + MARK + b"N" + b"2" * 1_000_000 + b"e"),
}
# The same where the tensors should be: no names could be given.
ENDLESS_NAMES: dict[str, bytes] = {
    "200,000 levels": zip_file(stream({NAME: tensor("0"), "x": deep(200_000)}), {"0": DATA}),
    "2^60 elements": zip_file(stream({NAME: tensor("0"), "x": shared(60)}), {"0": DATA}),
    "a list that holds itself": zip_file(stream({NAME: tensor("0"), "x": CYCLE}), {"0": DATA}),
}
