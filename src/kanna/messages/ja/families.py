"""`kanna families`: the list of what kanna knows."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "対応しているモデルの一覧を表示します。",
    "help": "kanna が見分けられるモデルの系統を古い順に一覧表示します。レポートで使う名前、パラメーター数、"
    "必要な部品、バリアントがわかります。\n\nWORD を指定すると、そのすべてに関係するものだけに絞り込みます。"
    "モデル名、開発元、バリアント、部品、ファイルの種類で絞り込めます。",
    "examples": "例:\n\n  kanna families\n\n  kanna families t5xxl\n\n  kanna families lora flux",
    "column_word": "名前",
    "column_title": "系統",
    "column_parameters": "パラメーター",
    "column_needs": "必要な部品",
    "more": "詳しい説明は kanna explain WORD で表示できます。",
    "others": "そのほか（ファイルの種類別）:",
    "none": (
        "{words} に当てはまる系統はありません。",
        "語を減らすか、kanna families だけで全体を表示してください。",
    ),
}
