"""`kanna lora merge`: help, and how well a sum is kept."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "複数の LoRA を 1 つにマージします。",
    "help": "すべての FILE を、それぞれの強さで同時に適用したのと同じ働きをする LoRA を 1 つ作ります。"
    "concat は厳密で、ランクは足し合わされます。svd は指定したランクで最もよい近似にします。"
    "形式、ランク、対象の層は違っていてもかまいません。\n\n"
    "up と down を別々に足すことはしません。それでは LoRA の効果の和にならないからです。",
    "examples": "例:\n\n"
    "  kanna lora merge style.safetensors character.safetensors -o both.safetensors\n\n"
    "  kanna lora merge a.safetensors b.safetensors -w 0.8,-0.3 --method svd --rank 32 "
    "-o mixed.safetensors",
    "option_output": "出力ファイル。フォルダーを指定すると名前は自動で付きます。",
    "option_weights": "各 LoRA の強さをカンマ区切りで指定します（既定は 1,1,…）。負の値も使えます。",
    "option_method": "concat: 厳密（ランクは足し合わされます）。svd: 指定したランクで最もよい近似。",
    "option_rank": "すべての層のランク（--method svd のとき）。",
    "option_most": "--dynamic で使う最大ランク（既定は 128）。",
    "option_to": "読み込むプログラムに合わせたキー名の形式（既定は最初の LoRA と同じ）。",
    "option_dtype": "LoRA の精度（既定は入力のうち最も広いもの）。",
    "kept": "重み付きの和との差は {error} です。2 つ以上の LoRA が変更する層は {shared:,} 個です。",
    "dry_run": "何も書き込んでいません（--dry-run）。実行すると {tensors:,} 個のテンソル（{size}）を書き込みます。",
}
