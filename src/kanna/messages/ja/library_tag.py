"""`kanna library tag`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルにタグを付けたり外したりします。",
    "help": "それぞれの FILE に + を付けて書いたタグを付け、--remove のタグを外します。FILE はパス、モデルの番号（#12）、ハッシュの先頭 8 桁以上、または名前です。1 つでも見つからないときは、どのモデルも変更しません。",
    "examples": "例:\n\n  kanna library tag anime_v2 +お気に入り +portrait\n\n  kanna library tag '#12' '#13' --remove お気に入り\n\n  kanna library find --tag お気に入り",
    "option_remove": "このタグを外します。複数指定できます。",
    "option_dry_run": "変更内容を表示するだけで、変更しません。",
    "nothing": (
        "ファイルかタグが指定されていません。",
        "タグは + を付けて書きます: kanna library tag FILE +タグ。外すには --remove タグ です。",
    ),
    "would": "変更はしていません。",
    "none": "タグなし",
}
