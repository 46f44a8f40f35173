"""`kanna run`: help, and what it says on the way."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "レシピのとおりにモデルを作ります。",
    "help": "RECIPE のとおりにモデルを作ります。RECIPE は TOML ファイルのほか、レシピを持つモデルや、A1111、SuperMerger、sd-mecha、mergekit のレシピ（同じマージ方法が kanna にあるもの）でもかまいません。- なら標準入力から読みます。\n\nモデルはまずレシピのあるフォルダーを基準にしたパスで、なければ --models のフォルダー以下と、kanna hash で調べたことのあるファイル、ライブラリから、名前か SHA-256 で探します。レシピと SHA-256 が違うファイルは使いません（終了コード 13）。途中の結果はディスクに書きません。\n\nレシピか --sweep に軸があると、その組み合わせごとに出力を 1 つずつ作ります。同じレシピで作られた出力がすでにあれば、そのまま残します。",
    "examples": "例:\n\n  kanna run recipe.toml -o out.safetensors\n\n  kanna recipe of merged.safetensors | kanna run - --models models/ -o again.safetensors\n\n  kanna run recipe.toml --set mix.alpha=0.4 -o out.safetensors --dry-run\n\n  kanna run recipe.toml --sweep alpha=0.1:0.9:0.1 -o 'grid/{{alpha}}.safetensors'",
    "option_output": "出力ファイルまたはフォルダー。軸があるときは名前に {{step.parameter}} を書けます。",
    "option_models": "このフォルダー以下からモデルを探します（複数指定可）。",
    "option_set": "レシピの値を変更します（複数指定可）。",
    "option_sweep": "両端を含む範囲の値ごとに出力を作ります（複数指定可）。",
    "option_together": "モデルを 1 回読む間に作る出力の数。",
    "hashing": "レシピのモデルか確かめるため、{path} のハッシュを計算しています…",
    "in_library": "{name} はライブラリで見つかりました: {path}",
    "renamed": "{name} は {path} として見つかりました。",
    "no_output": ("レシピに出力の指定がありません。", "-o で出力を指定してください。"),
    "output_elsewhere": (
        "レシピの出力 {output} はレシピのフォルダーの外です。",
        "-o で出力を指定してください。",
    ),
    "column_output": "出力",
    "summary": "作成 {made}、予定 {planned}、作成済み {there}、失敗 {failed}",
}
