"""`kanna library lineage`."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルの材料と、そのモデルから作られたものを表示します。",
    "help": "ファイル自身に記録された情報（マージのレシピ、学習元、焼き込んだ LoRA や VAE）から、モデルが何から作られたか、そのモデルから何が作られたかを表示します。FILE にはパス、名前、ハッシュ、ライブラリの番号を指定できます。ライブラリにないモデルは、公開モデルの一覧か、ファイルに書かれた名前で表示します。名前しか手がかりがない場合は「おそらく」「可能性あり」と表示します。",
    "examples": "例:\n\n  kanna library lineage AbyssOrangeMix3\n\n  kanna library lineage merged.safetensors --depth 2\n\n  kanna library lineage merged.safetensors --to mermaid",
    "option_depth": "たどる段数（両方向とも）。",
    "option_to": "描画用の形式で出力します。mermaid または dot（Graphviz）。",
    "one_form": ("--json と --to は同時に使えません。", "どちらか一方を指定してください。"),
    "made_of": "材料",
    "used_in": "このモデルから作られたもの",
    "merged_from": "マージ",
    "made_from": "加工元",
    "trained_on": "学習元",
    "vae_of": "VAE",
    "lora_of": "LoRA",
    "is_likely": "おそらく",
    "is_possible": "可能性あり",
    "published": "公開モデル。ライブラリにはありません",
    "absent": "ライブラリにありません",
    "gone": "なくなっています",
    "circle": "循環しています",
    "again": "上に表示済み",
    "nothing": "このファイルにもほかのファイルにも、由来の記録はありません。",
    "cut": "この先にも続きがあります。--depth を増やすと表示できます。",
}
