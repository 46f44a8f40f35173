"""`kanna library missing`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルに必要なのに、どのフォルダーにもない部品を調べます。",
    "help": "モデルに別途必要で、ライブラリのどのフォルダーにもないものを調べます。拡散モデルにはテキストエンコーダーと VAE、LoRA や埋め込みなどには同じ系統のモデルが必要です。どのモデルに必要か、通常のファイル名、配布元、わかる場合は SHA-256 を表示します。チェックポイントの中にだけある部品は「ある」ものとして扱います（kanna split で取り出せます）。SD 1 と SDXL の VAE のようにヘッダーで区別できないものは、可能性のあるファイルとして表示します。-v を付けると、足りているものとそのファイルも表示します。単語とオプションでの絞り込みは kanna library find と同じです。\n\n足りないものがあれば終了コードは 1 です。",
    "examples": "例:\n\n  kanna library missing\n\n  kanna library missing --family flux -v\n\n  kanna library missing --json",
    "missing": "ありません",
    "there": "あります",
    "perhaps": "ある可能性があります",
    "needed_by": "必要とするモデル",
    "served_by": "使えるファイル",
    "inside": "次のファイルの中にだけあります（kanna split で取り出せます）",
    "possible": "次のどれかの可能性があります（ヘッダーでは区別できません）",
    "called": "通常のファイル名: {names}",
    "from": "配布元: https://huggingface.co/{repository}",
    "published": "{name}: SHA-256 {sha256}",
    "no_model": "{family} のモデルがライブラリにありません",
    "more": "ほか {count} 個",
    "nothing": "足りないものはありません。別途必要で、そろっている部品: {count} 個（-v で表示）。",
}
