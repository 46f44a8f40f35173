"""About YAML files: the configurations beside models."""

from __future__ import annotations

from typing import Final

_PLAIN: Final = "kanna が読むのは単純なデータだけです。それを使わずに書いてください。"

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "too_long": (
        "{path} は {limit:,} バイトを超えており、設定ファイルとしては長すぎます。",
        "モデルの設定ファイルを指定してください。",
    ),
    "invalid": (
        "{path} は正しい YAML ではありません（{reason}）。",
        "修正するか、もう一度ダウンロードしてください。",
    ),
    "no_mapping": (
        "{path} は YAML ですが、キーと値の形になっていません。",
        "モデルの設定ファイルを指定してください。",
    ),
    "documents": ("{path} には YAML 文書が複数あります。", _PLAIN),
    "crowded": ("{path} は設定ファイルとしては値が多すぎるか、入れ子が深すぎます。", _PLAIN),
    "alias": ("{path} はアンカーかエイリアスを使っています。", _PLAIN),
    "tag": ("{path} はタグ {tag} でオブジェクトを作ろうとしています。", _PLAIN),
    "key": ("{path} に、重複したキーか、キーにできないものがあります: {name}", _PLAIN),
}
