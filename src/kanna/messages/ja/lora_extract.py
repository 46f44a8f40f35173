"""`kanna lora extract`: help, and what a LoRA keeps of a difference."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "2 つのモデルの差分を LoRA として抽出します。",
    "help": "モデル BASE を TUNED に近づける LoRA を作り、どこまで再現できるかを正確に示します。"
    "表示される誤差は、BASE に LoRA を適用したモデルと TUNED の差で、LoRA 自身の丸め誤差も含みます。\n\n"
    "メモリに置くのは、スレッドごとに 1 層分と LoRA だけです。形式やレイアウト、量子化の異なるファイルも組み合わせられます。",
    "examples": "例:\n\n"
    "  kanna lora extract tuned.safetensors base.safetensors -o style.safetensors\n\n"
    "  kanna lora extract tuned.safetensors base.safetensors --dynamic frobenius:0.95 "
    "--max-rank 128 -o style.safetensors\n\n"
    "  kanna lora extract tuned.safetensors base.safetensors --rank 64 --no-conv "
    "--no-text-encoders --to diffusers -o loras/",
    "option_output": "出力ファイル。フォルダーを指定すると名前は自動で付きます。",
    "option_rank": "すべての層のランク（既定は 32）。",
    "option_dynamic": "ランクを層ごとに自動で決めます: ratio:10（最大の特異値の 10 分の 1 より大きいもの）、"
    "cumulative:0.95（特異値の和のこの割合）、frobenius:0.95（ノルムのこの割合）。",
    "option_most": "--dynamic で使う最大ランク（既定は 64）。",
    "option_conv": "カーネルのある畳み込み層のランク（既定はほかの層と同じ）。--dynamic ではその最大ランク。",
    "option_no_conv": "カーネルのある畳み込み層を含めません。",
    "option_no_text_encoders": "テキストエンコーダーを含めません。",
    "option_least": "どの値の差もこれ以下の層は含めません（既定は 0）。",
    "option_full": "違いのあるバイアス、正規化層、埋め込みも、差分のまま書き出します。",
    "option_clamp": "行列の値をこの分位点でクリップします（既定ではクリップしません。kohya のスクリプトでは 0.99）。",
    "option_to": "読み込むプログラムに合わせたキー名の形式（kohya: A1111、Forge、ComfyUI）。",
    "option_dtype": "LoRA の精度（既定は fp16）。",
    "option_device": "torch の計算に使うデバイス: cpu、cuda、cuda:1、mps など。",
    "heading": "LoRA の再現精度",
    "column_block": "ブロック",
    "column_layers": "層",
    "column_error": "誤差",
    "column_ranks": "ランク",
    "column_worst": "誤差の大きい層",
    "overall": "すべての層",
    "dry_run": "何も書き込んでいません（--dry-run）。実行すると最大で {tensors:,} 個のテンソル（{size}）を書き込みます（作業用メモリ 約 {memory}）。",
    "stated": "BASE にこの LoRA を適用すると、TUNED との差は、元の 2 つのモデルの差の {error} になります。",
    "beside": "LoRA では表せないバイアス、正規化層、埋め込みが {count:,} 個違います（差全体の {share}）。",
    "beside_written": "バイアス、正規化層、埋め込みが {count:,} 個違います（差全体の {share}）。差分のまま書き出します。",
    "skipped": "違いのある {count:,} 個の層を含めませんでした（差全体の {share}）。",
    "same": "{count:,} 個の層は同じです。",
    "more_blocks": "… ほか {count:,} ブロック（-v ですべて表示）",
}
