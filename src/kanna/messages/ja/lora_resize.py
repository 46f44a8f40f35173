"""`kanna lora resize`: help, and what is kept."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "LoRA のランクを、できるだけ劣化させずに下げます。",
    "help": "LORA の各モジュールを、指定したランク、または特異値から決めたランクまで下げ、"
    "どれだけ保たれたかを示します。行列は 2 つの因子のまま正確に分解し、層の行列そのものは作りません。\n\n"
    "LoHa と LoKr は通常の LoRA になります。ランクのないものはそのまま残ります。",
    "examples": "例:\n\n"
    "  kanna lora resize style-r128.safetensors --rank 16 -o style-r16.safetensors\n\n"
    "  kanna lora resize style.safetensors --dynamic frobenius:0.98 --max-rank 64 "
    "-o style-small.safetensors",
    "option_rank": "すべての層のランク。これより小さい層はそのままです。",
    "option_to": "読み込むプログラムに合わせたキー名の形式（既定は元のまま）。",
    "option_dtype": "LoRA の精度（既定は元のファイルと同じ）。",
    "kept": "LoRA の Frobenius ノルムの {share} が保たれます。元のランク: {ranks}",
}
