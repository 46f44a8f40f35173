"""About the arithmetic."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "missing": (
        "この環境では数値を変換できません。kanna の C 拡張がビルドされておらず、torch もありません。",
        "pip install 'kanna[torch]' を実行するか、C コンパイラーを入れてから kanna をインストールし直してください。",
    ),
}
