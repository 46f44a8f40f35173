"""Writing GGUF: what the plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

_ELSEWHERE: Final = (
    "別のツールで作成してください。stable-diffusion.cpp の sd-cli -M convert --type {name} を使うか、"
    "kanna convert --to gguf --dtype fp16 で fp16 の GGUF を書き出し、ComfyUI-GGUF のパッチ（tools "
    "フォルダ）を当てた llama-quantize に渡します。kanna で書き込むなら {words} から選んでください。"
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
        "代わりに safetensors で書き込んでください。kanna quantize --to fp8 や --to nf4 で小さくできます。",
    ),
    "diffusers": (
        "{path}: {model} の GGUF は元のテンソル名でしか読み込まれませんが、このファイルは diffusers の名前です。",
        "先に kanna join FILE -o OUT.safetensors で元の構成に戻してください。",
    ),
    "quantised": (
        "{path}: {part} は {scheme} で量子化されており、GGUF には入れられません。",
        "先に kanna quantize FILE --to bf16 -o OUT.safetensors で元の数値に戻してください。",
    ),
    "needs_dtype": (
        "{path} は {type} で量子化されており、この型は GGUF にしか入れられません。",
        "変換後の精度を --dtype fp16、bf16、fp32 のいずれかで指定するか、--to gguf で GGUF のまま書き込んでください。",
    ),
    "part_needs_dtype": (
        "{path} は {type} で量子化されており、この型は GGUF にしか入れられません。",
        "変換後の精度を --dtype fp16、bf16、fp32 のいずれかで指定してください。このパーツだけなら --unet-dtype、--te-dtype、--vae-dtype も使えます。",
    ),
    "cut": "{type} で書き込むテンソル: {count:,}、fp16・bf16・fp32 のままのテンソル: {rest:,}",
    "for_comfyui": "ComfyUI-GGUF 向けの構成です（アーキテクチャ {word}）。models/unet に置きます",
    "for_checkpoints": "すべてのパーツを 1 ファイルに収めた、stable-diffusion.cpp 向けの構成です。ComfyUI-GGUF はここから拡散モデルを取り出します（アーキテクチャ {word}）",
    "split_first": "全部入りの構成では畳み込み層は量子化されません。kanna split で拡散モデルだけを取り出してから GGUF にすると、より小さくなります",
    "folded": "長さ 256 の行に並べ直したテンソル: {count:,}（元の形状はメタデータに残ります）。stable-diffusion.cpp では読めないことがあります",
}
