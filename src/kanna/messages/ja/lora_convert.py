"""`kanna lora convert`: help, and what becomes of a LoRA."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "LoRA を別のプログラム向けの形式に直す",
    "help": "LoRA を別の形式で書き出します。--dtype を付けない限り、数値は変わりません。",
    "examples": (
        "kanna lora convert lora.safetensors --to diffusers -o out.safetensors\n\n"
        "kanna lora convert *.safetensors --to kohya -o converted/"
    ),
    "option_output": "書き出すファイル、またはフォルダー（既定値: 入力と同じ場所）。",
    "option_to": "書き出す形式。",
    "option_architecture": "ファイルから分からない場合の、元のモデルのアーキテクチャ（flux、sdxl など）。",
    "option_dtype": "重みの dtype（既定値: そのまま）。",
    "modules": "{dialect}: モジュール {count} 個 ({kinds})",
    "alpha_in_metadata": "モジュールの強さ（alpha）は {dialect} の流儀でメタデータに入ります。それを読まないプログラムでは強さが変わります。",
    "regrouped": "層の分け方が違うため、モジュールは {before} 個から {after} 個になりました。",
    "left_out": "意味の分からないテンソル {count} 個を除きました（例: {name}）。",
    "no_such_architecture": (
        "アーキテクチャ {word} はありません。",
        "一覧は kanna families で見られます。",
    ),
}
