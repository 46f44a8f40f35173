"""`kanna library list`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "ライブラリのモデルを一覧にします。",
    "help": "ライブラリのモデルを 1 行に 1 つずつ、ほかのコマンドで使える番号とともに一覧にします。-q ではパスだけ、-v では名前の代わりにパスを表示します。言葉や特徴で探すには `kanna library find` を使ってください。",
    "examples": "例:\n\n  kanna library list --kind lora\n\n  kanna library list --root ~/ComfyUI/models\n\n  kanna library list --gone",
    "option_kind": "この種類だけ（lora、checkpoint など）。複数指定できます。",
    "option_root": "このフォルダーの中だけ。複数指定できます。",
    "option_gone": "ファイルがなくなったモデル。",
    "option_broken": "読めなかったモデル。",
    "option_limit": "この数まで。",
    "broken": "読めません",
    "count": "モデル: {count}",
}
