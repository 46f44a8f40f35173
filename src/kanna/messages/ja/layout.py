"""About what a container can hold."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "pickle_too_large": (
        "{tensors:,} 個のテンソルとこの量のメタデータを ckpt にすると、読み込めない大きさになります。",
        "safetensors 形式で書き込んでください。",
    ),
    "twice": (
        "出力に {name} という名前のテンソルが 2 つできてしまいます。",
        "どちらかの名前を変えるか、取り除いてください。",
    ),
    "not_utf8": (
        "{name} は正しい Unicode ではないため、書き込めません。",
        "そのテンソルまたはメタデータの名前を変えるか、取り除いてください。",
    ),
    "reserved_name": (
        "safetensors には {name} という名前のテンソルを入れられません。",
        "名前を変えるか取り除くか、ckpt で書き込んでください。",
    ),
    "dtype": (
        "{container} には {name} を入れられません。このサイズの {dtype} に対応していません。",
        "別の精度にするか、もう一方の形式を選んでください。",
    ),
    "header_too_large": (
        "ヘッダーが {size:,} バイトになります。safetensors の上限は {limit:,} バイトです。",
        "メタデータを減らしてください。",
    ),
    "not_plain": (
        "ckpt に入れられるのは単純なデータだけです。{kind} や、深く入れ子になったものは入れられません。",
        "テンソル以外の付属データを外してください。",
    ),
    "gguf_name": (
        "{name} という名前は GGUF には長すぎます。読み込む側の上限は {limit:,} バイトです。",
        "テンソルの名前を変えるか、safetensors で書き込んでください。",
    ),
    "gguf_blocks": (
        "形状 {shape} の {name} は、{type} のブロックにちょうど分けられないため、GGUF に入れられません。",
        "fp16 か bf16 のままにしてください。",
    ),
    "gguf_size": (
        "{name}（形状 {shape}）は GGUF では並べ直しが必要ですが、元の形状を記録できません。各次元の上限は {limit:,} です。",
        "safetensors 形式で書き込むか、そのテンソルを取り除いてください。",
    ),
    "gguf_header_too_large": (
        "ヘッダーが {size:,} バイトになります。kanna が読める GGUF のヘッダーは {limit:,} バイトまでです。",
        "メタデータを減らしてください。",
    ),
}
