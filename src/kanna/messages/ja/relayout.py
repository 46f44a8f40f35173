"""About bringing a model into another layout."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "beside": (
        "「{name}」は {weight} に付属するデータですが、変換先のレイアウトではその重みが分割・結合・転置されます。",
        "量子化されたモデルです。先に kanna convert --dtype fp16 で fp16 に戻してください。",
    ),
    "lacks": (
        "「{name}」を作れません。{missing} がありません。",
        "kanna check で確認してください。ファイルが壊れているか、モデルの一部だけのようです。",
    ),
    "unclear": (
        "このモデルのブロックの並びがわかりません。{name} を確認してください。",
        "kanna check で確認してください。ファイルが壊れているか、モデルの一部だけのようです。",
    ),
    "unfit": (
        "次のテンソルは別のレイアウトに変換できません: {what}。",
        "量子化されている場合は、先に kanna convert --dtype fp16 で fp16 に戻してください。そうでなければ、ファイルが壊れている可能性があります。kanna check で確認してください。",
    ),
}
