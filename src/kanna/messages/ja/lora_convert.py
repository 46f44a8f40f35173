"""`kanna lora convert`: help, and what becomes of a LoRA."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "LoRA を別のプログラム向けの形式に変換します。",
    "help": "LoRA を別の形式で書き出します。--dtype を付けない限り、数値は変わりません。",
    "examples": "例:\n\n"
    "  kanna lora convert lora.safetensors --to diffusers -o out.safetensors\n\n"
    "  kanna lora convert *.safetensors --to kohya -o converted/",
    "option_output": "出力ファイル。フォルダーを指定すると名前は自動で付きます（省略時は入力と同じフォルダー）。",
    "option_to": "書き出す形式。",
    "option_architecture": "ファイルからわからない場合の、元のモデルのアーキテクチャ（flux、sdxl など）。",
    "option_dtype": "LoRA の精度（既定は元のファイルと同じ）。",
    "modules": "{dialect}: モジュール {count} 個（{kinds}）",
    "alpha_in_metadata": "モジュールの強さ（alpha）は、{dialect} 形式ではメタデータに入ります。それを読まないプログラムでは効き方が変わります。",
    "regrouped": "層の分け方が違うため、モジュールは {before} 個から {after} 個になりました。",
    "left_out": "意味のわからないテンソル {count} 個を除きました（例: {name}）。",
    "no_such_architecture": (
        "アーキテクチャ {word} はありません。",
        "一覧は kanna families で見られます。",
    ),
}
