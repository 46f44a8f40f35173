"""About what a file is, and how that is known."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "bad_table": (
        "モデル定義 {path} は使えません: {reason}。",
        "定義を修正するか、フォルダーの外に移動してください。",
    ),
    "table_lacks": (
        "モデル定義 {path} は使えません。「{field}」がありません。",
        "定義を修正するか、フォルダーの外に移動してください。",
    ),
    "complete": "{what}: 既知のテンソル {count} 個がすべて揃っています(プレフィックス「{prefix}」)。",
    "signature": "{what}: 特徴的なテンソル {count} 個で判定しました(プレフィックス「{prefix}」)。",
    "partial": (
        "{what}: テンソル {count} 個がありますが、{missing} 個が欠けていて、{wrong} 個は形が違います"
        "(プレフィックス「{prefix}」)。"
    ),
    "nearest": "最も近いのは {what} です: {count} 個が一致、{missing} 個が不足、{wrong} 個が不一致です。",
    "several": "同格のモデルが複数入っています: {what}。",
    "mixture": "テンソルが混ざっています: 一部ずつ {what} に一致します。",
    "shared_header": "ヘッダーだけでは区別できません: {what}。",
    "same_header": "{what} もヘッダーが同じです。",
    "context": "同じファイルの拡散モデルに合わせて、VAE は {what} のものとみなしました。",
    "metadata_settles": "メタデータの {key} に「{value}」とあり、テンソルとも矛盾しません。",
    "metadata_differs": "メタデータの {key} には「{value}」とありますが、テンソルは {what} です。テンソルを優先しました。",
    "peek_deviation": "{name} の値のばらつきは {value:.3f}(基準 {limit})で、{what} の特徴です。",
    "ema_only": "{what} の EMA だけが入っています。モデル本体はありません。",
    "name_hint": "ファイル名「{name}」からは {what} と思われますが、名前は証拠になりません。",
    "quantized": "重みは量子化されています({scheme})。圧縮された重みの形は比較していません。",
    "prediction_marker": "ファイル内のマーカーテンソルがそう示しています。",
    "prediction_architecture": "このアーキテクチャのモデルはすべてそうです。",
    "prediction_usual": "このアーキテクチャのモデルはほとんどがそうで、ファイル内に反する情報はありません。",
    "prediction_variant": "この種類のモデルはそのように学習されています。",
    "prediction_metadata": "メタデータの {key} に「{value}」とあります。",
    "prediction_peek": "{name} の値のばらつきが、そのようなモデルの特徴を示しています。",
}
