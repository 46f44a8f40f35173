"""LoRAs that are made: what can be wrong with the request, and what a person should know."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "most_without_dynamic": (
        "--max-rank は --dynamic と一緒に使います。",
        "固定のランクなら --rank を指定するか、--dynamic を加えてください。",
    ),
    "rank_and_dynamic": (
        "--rank と --dynamic は同時に使えません。",
        "固定なら --rank、自動なら --dynamic と --max-rank を指定してください。",
    ),
    "conv_and_none": (
        "--conv-rank と --no-conv は同時に使えません。",
        "どちらかを外してください。",
    ),
    "dynamic_unclear": (
        "{given} はランクの決め方として読み取れません。",
        "ratio:10（1 より大きい数）、cumulative:0.95 または frobenius:0.95（1 以下の割合）を指定してください。",
    ),
    "rank_unclear": ("{rank} はランクになりません。", "1 以上の整数を指定してください。"),
    "quantile_unclear": (
        "{quantile} はクリップする割合になりません。",
        "0.5 から 1 までの数を指定してください。kohya のスクリプトでは 0.99 です。",
    ),
    "no_such_dtype": (
        "LoRA は {dtype} では書き出せません。",
        "次のどれかを指定してください: {known}",
    ),
    "needs_torch": (
        "LoRA の作成には torch が必要ですが、インストールされていません。",
        "次のコマンドでインストールしてください: pip install 'kanna[torch]'",
    ),
    "no_full": (
        "{dialect} 形式には、差分をそのまま入れるための名前がありません。",
        "--full-rest を外すか、--to kohya で kohya 形式にしてください。",
    ),
    "no_memory": (
        "メモリが足りません。およそ {size:,} バイト必要です。",
        "ほかのプログラムを閉じるか、ランクを下げてください。--device cpu ならメインメモリを使います。",
    ),
    "failed": ("torch で計算できませんでした: {reason}", "--device cpu を試してください。"),
    "overflow": (
        "{name} の行列は {dtype} に収まりません。",
        "--dtype で fp32 か bf16 を指定してください。",
    ),
    "not_finite": (
        "{name} の {count:,} 個の値が NaN か Inf です。",
        "kanna check --deep で、壊れたテンソルがわかります。",
    ),
    "no_model": (
        "{path} には拡散モデルもテキストエンコーダーもありません（種類: {kind}）。",
        "チェックポイントか拡散モデルを 2 つ指定してください。",
    ),
    "architectures": (
        "{path} は {first}、{other} は {second} です。",
        "LoRA を抽出できるのは、同じアーキテクチャの 2 つのモデルからだけです。",
    ),
    "no_common_part": (
        "{path} と {other} に共通する部品がありません。",
        "両方に拡散モデルか、同じ種類のテキストエンコーダーが必要です。kanna inspect で構成を確認できます。",
    ),
    "shapes": (
        "{path} の {name} は {first} ですが、もう一方のモデルでは {second} です。",
        "モデルの構造が違うため、LoRA では表せません。",
    ),
    "no_names": (
        "{dialect} 形式には、{path} の部品を表す名前がありません。",
        "--to で別の形式を指定してください。",
    ),
    "no_difference": (
        "{path} には、{other} と指定以上に違う層がありません。",
        "kanna diff で違いを確認できます。",
    ),
    "too_large": (
        "{name} は {rows:,} x {columns:,} の層向けですが、そのような層を持つモデルはありません。",
        "ファイルが壊れています。入手し直してください。",
    ),
    "sizes": (
        "{name} の大きさが LoRA によって違います（{first} と {second}）。",
        "マージできるのは、同じアーキテクチャ用の LoRA だけです。",
    ),
    "rank_missing": (
        "ランクが指定されていません。",
        "--rank で指定するか、--dynamic で特異値から決めてください。",
    ),
    "rank_of_concat": (
        "--method concat ではランクが足し合わされ、削減はされません。",
        "ランクを下げるには --method svd を使ってください。",
    ),
    "nothing_to_resize": (
        "{path} には、ランクを変えられるものがありません。",
        "ランクを下げられるのは LoRA、DoRA、LoHa、LoKr だけです。",
    ),
    "bases": (
        "{path} は {first} 用、{other} は {second} 用です。",
        "マージできるのは、同じアーキテクチャ用の LoRA だけです。",
    ),
    "no_sum": (
        "{path} の {name}（{kind}）はモデルの重みに依存するか行列ではないため、ほかの LoRA に足せません。",
        "kanna lora bake でモデルに焼き込んでから、差分を抽出してください。",
    ),
    "no_concat": (
        "{path} の {name}（{kind}）は 2 つの行列の積ではないため、concat では扱えません。",
        "--method svd を使ってください。",
    ),
    "spelled_differently": (
        "LoRA ごとに層の名前の付け方が違い、どのモデル用かもわかりません。",
        "先に kanna lora convert で形式をそろえてください。",
    ),
    "turned": "{count:,} 個のモジュール（{kinds}）は通常の LoRA になります。",
    "decomposed": "{count:,} 個のモジュールは DoRA です。大きさ（magnitude）はそのまま残り、誤差は行列の積についてのものです。",
    "kept": "{count:,} 個のモジュール（{kinds}）にはランクがないため、そのまま残ります。",
    "not_raised": "どのモジュールのランクも {rank} 以下です。上げても得るものはありません。",
    "nothing_shared": "2 つ以上の LoRA が変更する層はありません。",
    "weights_unclear": (
        "{given} は {count} 個の LoRA の強さとして読み取れません。",
        "カンマ区切りの数値で指定してください: 0.8,0.5",
    ),
    "only_safetensors": (
        "{name}: LoRA は safetensors 形式でだけ書き出せます。",
        ".safetensors で終わる名前を指定してください。",
    ),
    "part_without_names": "{dialect} 形式に名前がないため、含めませんでした: {parts}",
    "uneven": "{count:,} 個の層はもう一方のモデルと入力チャンネル数が違うため、含めませんでした（{name} など）。",
    "strangers": "{count:,} 個のテンソルは片方のモデルにしかないため、含めませんでした（{name} など）。",
}
