"""`kanna lora bake`: help, and why a request makes no sense."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "LoRA をモデルに焼き込みます。",
    "help": "あらゆる種類と形式の LoRA を順にモデルへ加え、1 つのファイルに書き出します。",
    "examples": "例:\n\n"
    "  kanna lora bake model.safetensors style.safetensors -o baked.safetensors --dtype fp16\n\n"
    "  kanna lora bake model.safetensors a.safetensors b.safetensors --weights 0.8,0.5 "
    "-o both.safetensors\n\n"
    "  kanna lora bake model.safetensors style.safetensors --blocks 'IN*=0,OUT*=0.7' "
    "-o out.safetensors",
    "option_output": "出力ファイル。フォルダーを指定すると名前は自動で付きます。",
    "option_weights": "各 LoRA の強さ。1 つだけなら全部に共通（既定は 1）。",
    "option_te_weights": "テキストエンコーダーでの強さ（別にする場合）。",
    "option_blocks": "--weights の代わりに使う層別の強さ。1 回なら全 LoRA に共通、LoRA の数だけ繰り返せばそれぞれに。",
    "option_elements": "名前で選んだテンソルの強さ（例: attn2.*to_k=0.2。複数指定可）。",
    "option_skip_unknown": "意味のわからないものやモデルにないものを除き、何を除いたかを表示します。",
    "option_vae": "このファイルの VAE を焼き込みます。",
    "no_loras": (
        "LoRA が指定されていません。",
        "モデルに続けて LoRA を 1 つ以上指定してください。",
    ),
    "wrong_count": (
        "{option} の値は {given} 個ですが、LoRA は {count} 個です。",
        "1 つだけ（全部に共通）、または LoRA と同じ数を指定してください。",
    ),
}
