"""`kanna library show`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルについてライブラリにある情報をすべて表示します。",
    "help": "それぞれの FILE について、種類、ハッシュ、タグ、メモ、別名、作られ方、同じファイルやデータ、部品がほかにある場所を表示します。FILE はパス、モデルの番号（#12）、ハッシュの先頭 8 桁以上、または名前です。",
    "examples": "例:\n\n  kanna library show anime_v2\n\n  kanna library show '#12' -v\n\n  kanna library show 6ce0161689 --json",
    "gone": "ファイルがありません",
    "unread": "未読",
    "not_hashed": "未計算",
    "title": "タイトル",
    "what": "種類",
    "size": "サイズ",
    "findings": "検査結果",
    "sha256": "SHA-256",
    "data_sha256": "データ",
    "autov1": "AutoV1",
    "hashes": "ハッシュ",
    "tags": "タグ",
    "aliases": "別名",
    "origin_merged_from": "マージ元",
    "origin_made_from": "変換元",
    "origin_trained_on": "学習元",
    "origin_vae_of": "VAE の出所",
    "origin_lora_of": "含まれる LoRA",
    "same": "同じファイル: {path}",
    "same_data": "同じテンソル: {path}",
    "same_part": "同じ部品: {path}",
    "more": "… ほか {count} 件",
}
