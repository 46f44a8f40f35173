"""About what a file is, and how that is known."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "bad_table": (
        "モデル定義 {path} を使えません: {reason}。",
        "定義を修正するか、フォルダーの外に移動してください。",
    ),
    "table_lacks": (
        "モデル定義 {path} を使えません。「{field}」がありません。",
        "定義を修正するか、フォルダーの外に移動してください。",
    ),
    "called": "{name} {role}",
    "prefix": "接頭辞「{prefix}」",
    "no_prefix": "接頭辞なし",
    "complete": "{what}: 既知のテンソル {count} 個がすべてそろっています（{where}）。",
    "signature": "{what}: 特徴的なテンソル {count} 個から判定しました（{where}）。",
    "partial": (
        "{what}: テンソル {count} 個がありますが、{missing} 個が不足し、{wrong} 個は形状が異なります"
        "（{where}）。"
    ),
    "shard": "分割されたモデルの {count} 個中 {number} 個目のファイルで、残りは別のファイルにあります。",
    "built_upon": "同じ接頭辞の下にほかのテンソルが {count} 個あり、このモデルを拡張した別のモデルかもしれません。",
    "much_unknown": "このほかに、どのモデルのものかわからないテンソルが {count} 個あります。",
    "other_widths": "層の幅が既知のどのバリアントとも違うため、同じ構造の別のモデルかもしれません。",
    "by_width": "このテンソルをそのベクトルと見なす根拠は、幅だけです。",
    "gaps": "テンソルが {count} 個欠けているようです（ほかのブロックにはあります）。",
    "nearest": "最も近いもの: {what}（一致 {count} 個、不足 {missing} 個、不一致 {wrong} 個）。",
    "alike": "最もよく似ているもの: {what}（同じ名前のテンソル {count} 個、うち形状の異なるもの {wrong} 個）。",
    "several": "同格のモデルが複数入っています: {what}。",
    "mixture": "複数のモデルのテンソルが混ざっています: {what}。",
    "shared_header": "ヘッダーだけでは、次のどれなのか区別できません: {what}。",
    "same_header": "{what} もヘッダーは同じです。",
    "context": "VAE は、同じファイルの拡散モデルに合わせて {what} のものと判断しました。",
    "published": "ハッシュが公開ファイル「{name}」と一致します。",
    "published_differs": "ハッシュは公開ファイル「{name}」と一致し、一覧では {value} とされていますが、テンソルからは {what} と判断されます。テンソルを優先します。",
    "metadata_settles": "メタデータの {key} が「{value}」で、テンソルとも矛盾しません。",
    "metadata_differs": (
        "メタデータの {key} は「{value}」ですが、テンソルを優先して {what} と判断しました。"
    ),
    "peek_deviation": (
        "{name} の値の標準偏差が {value:.3f}（基準 {limit}）で、{what} の特徴と一致します。"
    ),
    "ema_only": "{what} の EMA だけが入っていて、本体はありません。",
    "name_hint": "ファイル名「{name}」からは {what} と思われますが、名前だけでは確実とは言えません。",
    "quantized": "重みは量子化されています（{scheme}）。",
    "types": "数値の格納形式: {what}。",
    "unmarked_scales": (
        "重みのスケールが {count} 個ありますが、マーカーもメタデータもないため、ComfyUI では無視されます。"
    ),
    "adapter_mixed": "この追加学習データが変更する層をすべて持つモデルはありません。一部は {what} の層です。",
    "adapter_no_base": "この追加学習データが変更する層を持つモデルは、既知のモデルの中にありません。",
    "adapter_fits": "変更される層のうち {count} 個が {what} の層と一致します。",
    "adapter_distilled": (
        "メタデータの {key} が「{value}」なので、少ないステップ数で生成するための LoRA と思われますが、テンソルからはわかりません。"
    ),
    "adapter_rank": "rank {values}",
    "adapter_alpha": "alpha {values}",
    "prediction_marker": "ファイル内のマーカーテンソルで指定されています。",
    "prediction_architecture": "このアーキテクチャのモデルは、すべてこの方式です。",
    "prediction_usual": "このアーキテクチャのモデルはほとんどがこの方式で、ファイル内に反する情報はありません。",
    "prediction_variant": "このバリアントは、この方式で学習されています。",
    "prediction_metadata": "メタデータの {key} が「{value}」です。",
    "prediction_peek": "{name} の値のばらつきが、この方式のモデルの特徴と一致します。",
}
