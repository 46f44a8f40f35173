"""Writing GGUF: what the plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

_ELSEWHERE: Final = (
    "別のツールで作成してください。stable-diffusion.cpp の sd-cli -M convert --type {name} を使うか、"
    "kanna convert --to gguf --dtype fp16 で fp16 の GGUF を書き出し、ComfyUI-GGUF のパッチ（tools "
    "フォルダー）を当てた llama-quantize に渡します。kanna で書き込むなら {words} から選んでください。"
)

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "only_read": ("GGUF の {type} 型は、kanna では読み込みだけに対応しています。", _ELSEWHERE),
    "no_type": ("GGUF に {type} という型はありません。", "{words} から選んでください。"),
    "no_model": (
        "{path} には、GGUF にできる拡散モデルがありません（{part}）。",
        "safetensors のままにしてください。GGUF を読むプログラムは、safetensors も一緒に読み込めます。T5 などの言語モデルは、llama.cpp の convert_hf_to_gguf.py で GGUF にできます。",
    ),
    "no_reader": (
        "{path}: {model} を GGUF として読めるプログラムは知られていません。",
        "代わりに safetensors で書き込んでください。kanna quantize --to fp8_scaled で小さくできます。",
    ),
    "diffusers": (
        "{path}: {model} の GGUF は元のテンソル名でしか読み込まれませんが、このファイルは diffusers の名前です。",
        "先に kanna split FILE -o DIR/ で元の名前に戻してください。",
    ),
    "quantised": (
        "{path}: {part} は {scheme} で量子化されており、GGUF には入れられません。",
        "先に kanna quantize FILE --to bf16 -o OUT.safetensors で復元してください。",
    ),
    "needs_dtype": (
        "{path} は {type} で量子化されており、この型は GGUF にしか入れられません。",
        "変換後の精度を --dtype fp16、bf16、fp32 のどれかで指定するか、--to gguf で GGUF のまま書き込んでください。",
    ),
    "part_needs_dtype": (
        "{path} は {type} で量子化されており、この型は GGUF にしか入れられません。",
        "変換後の精度を --dtype fp16、bf16、fp32 のどれかで指定してください。この部品だけなら --unet-dtype、--te-dtype、--vae-dtype も使えます。",
    ),
    "cut": "{count:,} 個のテンソルを {type} で書き込みます。{rest:,} 個は fp16、bf16、fp32 です。",
    "for_comfyui": "ComfyUI-GGUF 用の GGUF です（アーキテクチャ {word}）。models/unet に置いてください。",
    "for_checkpoints": "stable-diffusion.cpp 用に、すべての部品を 1 つのファイルに入れます。ComfyUI-GGUF はその中の拡散モデルを読み込みます（アーキテクチャ {word}）。",
    "split_first": "チェックポイントでは畳み込み層を量子化しません。kanna split で拡散モデルだけを取り出してから GGUF にすると、より小さくなります。",
    "folded": "{count:,} 個のテンソルを長さ 256 の行に並べ直します（元の形状はメタデータに残ります）。stable-diffusion.cpp では読めないことがあります。",
}
