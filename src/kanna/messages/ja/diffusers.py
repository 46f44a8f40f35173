"""About diffusers folders."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "why_told": "指定されたとおりです",
    "no_pipeline": (
        "{path}（{what}）に合う diffusers のパイプラインを kanna は知りません。",
        "--to diffusers を外して、部品ごとのファイルに分けてください。",
    ),
    "already": (
        "{path} はすでに diffusers フォルダーです。",
        "先に kanna join で 1 つのファイルにまとめてから分割してください。",
    ),
    "no_prediction": (
        "{path} の予測方式がファイルからわかりません。スケジューラーは予測方式によって変わります。",
        "--prediction で指定してください: {words}。",
    ),
    "no_such_prediction": (
        "{path} に合う diffusers のパイプラインに、予測方式が {prediction} のものはありません。",
        "次のどれかを指定してください: {words}。",
    ),
    "no_scheduler": (
        "予測方式が {prediction} のモデルに使える {pipeline} のスケジューラーを kanna は知りません。",
        "{path} の予測方式（epsilon や v など）を --prediction で指定してください。",
    ),
    "missing": (
        "{path} には、次のコンポーネントの元になる部品がありません: {components}。",
        "先に kanna join で 1 つのファイルにまとめてください。なしで作る場合は --allow-missing を付け、{repository} から補ってください。",
    ),
    "quantised": (
        "{part} は量子化されています（{scheme}）。diffusers は、このような重みをフォルダーから読み込めません。",
        "--dtype bf16 または --dtype fp16 で、変換後の精度を指定してください。",
    ),
    "underivable": (
        "{folder} の config.json を作れません。その値を決めるテンソル {tensor} がありません。",
        "ファイルが不完全です。足りないものは kanna check でわかります。",
    ),
    "shard_size": (
        "{word} はファイルサイズとして読めません。",
        "5GB や 500MB のように、単位を付けて指定してください。",
    ),
    "no_tokenizer": (
        "{path} には {folders} 用のトークナイザーがありません。",
        "これらのサブフォルダーがある diffusers フォルダーを指定してください。",
    ),
    "tokenizer_size": (
        "{path} はトークナイザーとしては大きすぎます（{size:,} バイト）。",
        "公開されているトークナイザーのフォルダーをそのまま指定してください。",
    ),
    "other_weights": (
        "{path} には、このモデルで置き換わらない重みがあります（{name} など）。",
        "新しいフォルダーを指定するか、先にそのファイルを取り除いてください。",
    ),
    "others": "ヘッダーは複数のパイプラインに当てはまります。{taken} として作りますが、{others} の可能性もあります。"
    "違いはスケジューラーや設定です。",
    "lacks": "フォルダーに足りないもの: {components}。from_pretrained に必要です（{repository} から入手できます）。",
    "referenced": "フォルダーに入れないもの: {components}。from_pretrained に必要です（{repository} から入手するか、入っているフォルダーを --tokenizers で指定してください）。",
    "identity": "{name} は単位行列です。ファイルでは省かれていますが、diffusers には必要です。",
    "left": "diffusers に置き場所のないテンソルが {count} 個あります。失われないように {file} に入れます。",
}
