"""`kanna library note`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルにメモを書きます。",
    "help": "モデルにメモを書きます。すでにあるメモは置き換わります。TEXT を省くと表示だけします。--remove で消します。メモは `kanna library find` で検索でき、ファイルを移動しても残ります。",
    "examples": '例:\n\n  kanna library note anime_v2 "CLIP skip 2、ポートレートには不向き"\n\n  kanna library note anime_v2\n\n  kanna library note anime_v2 --remove',
    "option_remove": "メモを消します。",
    "one_of_both": (
        "メモの書き込みと削除は同時にできません。",
        "文を省くか、--remove を外してください。",
    ),
}
