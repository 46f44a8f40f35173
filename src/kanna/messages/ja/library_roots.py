"""`kanna library roots`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "ライブラリのフォルダーを一覧にします。",
    "help": "対象になっているフォルダーと、その中身の種類、今そこにあるかどうかを表示します。",
    "examples": "例:\n\n  kanna library roots\n\n  kanna library roots --json",
    "none": "フォルダーはまだありません。kanna library add フォルダー で追加してください。",
    "program_a1111": "A1111",
    "program_forge": "Forge",
    "program_comfyui": "ComfyUI",
    "program_invokeai": "InvokeAI",
    "backup": "保管用",
    "missing": "今は見つかりません",
    "both": "モデルと画像",
    "models": "モデル",
    "images": "画像",
}
