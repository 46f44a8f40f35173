"""About diffusers folders."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "why_told": "指定されたとおりです",
    "no_pipeline": (
        "{path}（{what}）に合う diffusers のパイプラインを kanna は知りません。",
        "--to diffusers を付けずに、パーツに分割してください。",
    ),
    "already": (
        "{path} はすでに diffusers フォルダーです。",
        "先に kanna join で 1 つのファイルにまとめてから分割してください。",
    ),
    "no_prediction": (
        "{path} が何を予測するモデルなのか、ファイルからは分かりません。スケジューラーはそれによって決まります。",
        "--prediction で指定してください: {words}",
    ),
    "no_such_prediction": (
        "{path} に合う diffusers のパイプラインに、{prediction} を予測するものはありません。",
        "次のどれかを指定してください: {words}",
    ),
    "no_scheduler": (
        "{prediction} を予測するモデルに使える {pipeline} のスケジューラーを kanna は知りません。",
        "{path} が何を予測するのかを、epsilon や v のように --prediction で指定してください。",
    ),
    "missing": (
        "{path} には、次のコンポーネントの元になるパーツがありません: {components}",
        "先に kanna join で 1 つのファイルにまとめてください。なしで作る場合は --allow-missing を付け、"
        "{repository} から補ってください。",
    ),
    "quantised": (
        "パーツ {part} は量子化されています（{scheme}）。diffusers は、この形のものをフォルダーから読み込めません。",
        "--dtype bf16 または --dtype fp16 で、変換後の精度を指定してください。",
    ),
    "underivable": (
        "{folder} の config を作れません。その値を決めるテンソル {tensor} がありません。",
        "ファイルに欠けがあります。kanna check で確認できます。",
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
    "lacks": "フォルダーには {components} がありません。from_pretrained に必要です。{repository} にあります。",
    "referenced": "フォルダーに入らないもの: {components}。from_pretrained に必要です。"
    "{repository} から取ってくるか、入っているフォルダーを --tokenizers で指定してください。",
    "identity": "{name} は単位行列です。ファイルでは省かれていますが、diffusers には必要です。",
    "left": "{count} 個のテンソルは diffusers に置き場所がありません。失われないように {file} に入れます。",
}
