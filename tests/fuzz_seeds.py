"""Where fuzzing starts: small right and wrong files of every kind, and what earlier runs found.

``data/fuzz_corpus.json.gz`` holds the inputs that earlier runs of `make fuzz` kept because each
reaches code that no other reaches.
"""

from __future__ import annotations

import gzip
import json
import struct
import zlib
from base64 import b64decode
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from attacks import cases
from attacks.containers import tar_file
from containers import gguf_bytes, gguf_entry, gguf_string, gguf_value, safetensors_bytes, small
from fuzz_infotext import picture_text_seeds
from fuzz_tensors import LAYOUTS
from kanna.codebooks import DYNAMIC, NF4
from kanna.families.name_rows import expand_side
from kanna.families.name_tables import name_rows
from model_headers import headers
from picture_files import (
    EXIF_INTO,
    FORMS,
    chunk,
    itxt,
    jpeg,
    png,
    saved,
    segment,
    text,
    tiff,
    written,
)

RECIPE = b"""kanna = 1
[models]
a = "A.safetensors"
b = { path = "x/B.ckpt", sha256 = "%s" }
[[step]]
name = "mix"
method = "weighted-sum"
models = ["a", "b"]
alpha = { value = 0.3, blocks = "IN00=0.1", elements = ["attn2=0.2"] }
[[step]]
name = "out"
method = "lora"
models = ["mix", "b"]
weights = [0.5]
[output]
dtype = "fp16"
dtypes = { vae = "fp32" }
[axes]
"mix.alpha" = "0.1:0.9:0.1"
""" % (b"0123456789abcdef" * 4)
MECHA = b"""version 0.1.0
model "dir/a.safetensors" model_config=null merge_space="weight"
model "b.safetensors"
dict key=0.3
merge "convert_singleton" &2
merge "subtract" &0 &1
merge "add_difference" &0 &4 alpha=&3
merge "weighted_sum" &5 &1 0.5
"""
WEBUI = b"""{"type": "webui", "primary_model_hash": "%s", "secondary_model_hash": "%s",
"interp_method": "Weighted sum", "multiplier": 0.3, "bake_in_vae": "a/b.pt", "%s": {"name": "x/y"}}
""" % ((b"0123456789abcdef" * 4,) * 3)
SUPERMERGER = b"""{"type": "sd-webui-supermerger", "model_a": "%s", "model_b": "%s", "mbw": true,
"weights_alpha": [0.1, 0.2], "base_alpha": 0.5, "mode": "Weight sum", "calcmode": "normal"}
""" % ((b"0123456789abcdef" * 4,) * 2)
MERGEKIT = b"""merge_method: ties
base_model: base
models:
- {model: a, parameters: {weight: 0.5, density: 0.3}}
- model: {path: b}
parameters: {normalize: true}
dtype: float16
"""
CORPUS = Path(__file__).parent / "data" / "fuzz_corpus.json.gz"
_LONGEST = 1 << 14


@cache
def found() -> Mapping[str, list[bytes]]:
    """What earlier runs kept, by target."""
    if not CORPUS.exists():
        return {}
    with gzip.open(CORPUS) as stream:
        kept: dict[str, list[str]] = json.load(stream)
    return {target: [b64decode(text) for text in texts] for target, texts in kept.items()}


def seeds(target: str) -> list[bytes]:
    """Return the inputs that the target starts from."""
    every = [*_made().get(target, []), *found().get(target, [])]
    return [data for data in dict.fromkeys(every) if len(data) <= _LONGEST]


def _four_bit() -> bytes:
    """A weight of 65 numbers in bitsandbytes' form, its magnitudes in 8 bits."""
    state = {"quant_type": "nf4", "blocksize": 64, "dtype": "float16", "shape": [5, 13],
             "nested_blocksize": 256, "nested_dtype": "float32", "nested_offset": 0.5}  # fmt: skip
    text = json.dumps(state).encode()
    return safetensors_bytes({
        "w": ("U8", (33, 1), bytes(range(33))),
        "w.absmax": ("U8", (2,), b"\x10\xf0"),
        "w.quant_map": ("F32", (16,), NF4),
        "w.nested_absmax": ("F32", (1,), b"\0\0\x80?"),
        "w.nested_quant_map": ("F32", (256,), DYNAMIC),
        "w.quant_state.bitsandbytes__nf4": ("U8", (len(text),), text),
    })  # fmt: skip


def _relaid(names: list[str]) -> list[bytes]:
    """The same names for every table, and those of a row for its own."""
    made = [bytes([table]) + text.encode() for table, text in enumerate(names)]
    for number, (table, source, _) in enumerate(LAYOUTS):
        sides = [row.sides[source] for row in name_rows(table) if source in row.sides]
        lines = [f"{name} \x01\x0c\x04" for side in sides for group in expand_side(side, (0, 0, 0))
                 for name in group]  # fmt: skip
        made.append(bytes([number]) + "\n".join(lines[:120]).encode())
    return made


@cache
def _loras() -> list[bytes]:
    """The first layers of real LoRAs, with their shapes as letters."""
    return [
        "\n".join(
            f"{name} {''.join(map(chr, one.shape))}"
            for name, one in sorted(header.tensors.items())[:24]
        ).encode()
        for header in headers().values()
        if header.kind == "lora"
    ]


def _pictures() -> list[bytes]:
    """What Pillow writes, with a text in every place, and what others do."""
    block = tiff(
        {0x0112: (3, b"\0\6"), 0x010F: (2, b"workflow: {}\0")}, {0x9286: (7, b"JIS\0\0\0\0\0x")}
    )
    packed = text("zTXt", "a", b"\0" + zlib.compress(b"b" * 9))
    return [
        *(written(form) for form in FORMS),
        *(saved(form) for form in FORMS),
        *(put(block) for put in EXIF_INTO.values()),
        png(packed, itxt("XML:com.adobe.xmp", "<x/>"), after=[chunk("eXIf", block)]),
        jpeg(segment(0xFE, b"comment"), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x/>")),
    ]


def _made() -> Mapping[str, list[bytes]]:
    tensors = [
        small("a", "b.weight"),
        safetensors_bytes({"x": ("BF16", (2, 0), b""), "v_pred": ("I64", (0,), b"")}, {"k": "v"}),
        safetensors_bytes({"position_ids": ("I64", (1, 2), bytes(16))}),
        safetensors_bytes(
            {
                "a.weight": ("F8_E4M3", (2, 3), b"abcdef"),
                "a.scale_weight": ("F32", (2,), b"\0\0\x80?" * 2),
                "scaled_fp8": ("F8_E4M3", (0,), b""),
            }
        ),
        _four_bit(),
    ]
    zipped = [*cases.READABLE.values(), *(data for _, data in cases.REFUSED.values())]
    gguf = [
        gguf_bytes(),
        gguf_bytes(
            [
                gguf_value("general.architecture", 8, gguf_string("flux")),
                gguf_value("list", 9, b"\x05\x00\x00\x00\x02" + bytes(15)),
            ],
            [gguf_entry("w", (2, 2), 0, 0), gguf_entry("q", (32, 1), 8, 32)],
            bytes(96),
        ),
    ]
    gguf += [
        gguf_bytes(
            [
                gguf_value("general.architecture", 8, gguf_string("sd1")),
                gguf_value("comfy.gguf.orig_shape.c", 9, struct.pack("<IQ4i", 5, 4, 8, 4, 3, 3)),
                gguf_value("comfy.gguf.orig_shape.d", 9, struct.pack("<IQ2i", 5, 2, -1, -32)),
            ],
            [gguf_entry("c", (32, 9), 8, 0), gguf_entry("d", (32, 1), 2, 320)],
            bytes(range(256)) + bytes(96),
        ),
        gguf_bytes([], [gguf_entry("k", (256, 1), 12, 0), gguf_entry("i", (256,), 18, 160)],
                   bytes(range(256)) + bytes(28)),
    ]  # fmt: skip
    index = [
        b'{"metadata": {"total_size": 4}, "weight_map": {"a": "m-00001-of-00002.safetensors"}}'
    ]
    # An end record that begins in a file too short for one: found by fuzzing.
    short_end = b"PK\x03\x04\xffPK\x05\x06\x00\x06;\x00\x00\x00\x00\x00"
    names = [
        "\n".join(
            f"{name} {' abcd'[: 1 + len(t.shape)]}" for name, t in list(h.tensors.items())[:60]
        )
        for h in list(headers().values())[::12]
    ]
    return {
        "picture": _pictures(),
        "safetensors": tensors,
        "checkpoint": [*zipped, tar_file([1.0, 2.0]), short_end],
        "pickle": [cases.checkpoint(beside) for beside in (b"N", b"K\x01", b"]", b"}")],
        "gguf": gguf,
        "index": index,
        "recipe": [RECIPE, MECHA, WEBUI, SUPERMERGER, MERGEKIT],
        "recipe-inside": [RECIPE, MECHA, WEBUI, SUPERMERGER],
        "json": [b'{"a": [1, 2.5, "\\u3042"], "b": {"c": null}}', *index],
        "whole": [*tensors, *zipped[::6], *gguf, *index, b"<!DOCTYPE html><html>", b"\x89PNG\r\n"],
        "scan": [
            *tensors,
            *zipped,
            *gguf,
            *index,
            tar_file([1.0]),
            b"model:\n  target: os.system\n",
        ],
        "yaml": [
            b"model:\n  params:\n    parameterization: v\n    ch: [1, 2.5, ~]\n    a: !!int 3\n",
            b"a: &x {b: 1}\nc: *x\n<<: *x\n? [k]\n: 0o7\n--- \n'q': |\n  text\n",
        ],
        "sidecar": [
            b"a" * 64 + b"  model.ckpt\n",
            b"B" * 64,
            b"\\" + b"0" * 64 + b" *mo\\ndel.ckpt\n",
        ],
        "webui-cache": [
            b'{"hashes": {"checkpoint/a": {"mtime": 1.5, "sha256": "'
            + b"c" * 64
            + b'"}, "vae": 1}}',
            b'{"hashes-addnet": {"lora/x": {"mtime": 1, "sha256": null}}}',
        ],
        "digest": [
            b"7460a6fa",
            b"0x6CE0161689",
            b"name [ffa7b160]",
            b"blake3:" + b"e" * 64,
            b"e3b0c442",
        ],
        "names": [text.encode() for text in names],
        "lora": _loras(),
        "table": [
            b'name = "x"\ntitle = "X"\n[[component]]\nid = "y"\nrole = "vae"\nany = ["a.{0..3}"]'
        ],
        "picture-texts": picture_text_seeds(),
        "views": [
            b"w \x02\x04\x06\x02\x01\x03\x00\x01\x02\x03\x00\x00\x01\x03\x00",
            b"w \x1c\x04\x24   \x06\0\0\x00\x01\x01\x05\0\0\x07\0\0",
            b"w \xff\xfa\xff\xfe\xfd\x08\x00\xfe\xff\x05\0\0\x04\xff\xff",
        ],
        "relayout": _relaid(names),
        "gguf-written": [
            b"a \x02\x04\x06\nb+.weight \x01\x10\x10\x03\x03\nc \x1b\x02\x10",
            b"v \x02\x02\x02\x02\x02\x02\x02\nempty \x01\xfd\x00\nscalar \x02",
        ],
        "record": [
            b'{"role":"vae","word":"vae","source":"5a","prefix":"v.","layout":"ldm","model":"v.",'
            b'"names":{"a":"b.a"},"places":[[4,2],[0,1]],"parts":["vae"],"needs":["clip-l"]}',
            b'{"role":"ema","word":"ema","source":"","prefix":"model_ema.","layout":null,"model":'
            b'"model.diffusion_model.","names":{},"places":[[0,3]],"parts":[],"needs":[]}',
            b'{"format_version":"1.0","layers":{"a.w":{"format":"nvfp4"},"c":[[[["\\ud800"]]]]}}',
        ],
        "file-name": ["モデル v1.5 (最終).ckpt".encode(), b"con.safetensors", b"a b.c-fp16.ckpt"],
    }
