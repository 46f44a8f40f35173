"""`kanna recipe`, and what is wrong with a recipe."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "マージのレシピを検査、表示し、モデルから取り出す。",
    "help": "マージのレシピを、ファイルからもモデルの中からも読みます。",
    "examples": "例:\n\n  kanna recipe of merged.safetensors > recipe.toml\n\n  kanna recipe show merged.safetensors --models models/\n\n  kanna recipe check recipe.toml",
    "no_toml": (
        "レシピが TOML として読めません: {reason}。",
        "レシピの書き方は docs/recipes.ja.md にあります。",
    ),
    "too_long": (
        "レシピが {limit} 文字を超えています。",
        "それほど長いレシピはありません。別のファイルではありませんか？",
    ),
    "no_version": (
        "レシピに kanna = 1 の行がありません。",
        "kanna のレシピなら、先頭にその行を書いてください。",
    ),
    "other_version": (
        "レシピのバージョンは {version} ですが、この kanna が読めるのは {known} です。",
        "新しい kanna を使うか、kanna = {known} と書いてください。",
    ),
    "unknown_key_near": ("レシピに {where} という項目はありません。", "{near} ではありませんか？"),
    "unknown_key": (
        "レシピに {where} という項目はありません。",
        "書けるのは次のものです: {known}。",
    ),
    "key_missing": (
        "レシピに {where} がありません。",
        "何を書くかは docs/recipes.ja.md にあります。",
    ),
    "no_table": (
        "レシピの {where} に {value} は書けません。",
        "テーブルで書いてください: {{ key = value }}。",
    ),
    "no_list": ("レシピの {where} に {value} は書けません。", '配列で書いてください: ["a", "b"]。'),
    "no_text": ("レシピの {where} に {value} は書けません。", '文字列で書いてください: "a"。'),
    "no_flag": ("レシピの {where} に {value} は書けません。", "true か false を書いてください。"),
    "no_count": ("レシピの {where} に {value} は書けません。", "整数を書いてください。"),
    "no_number": ("レシピの {where} に {value} は書けません。", "0.3 のような数を書いてください。"),
    "no_path": (
        "レシピの {where} にファイルの指定がありません。",
        "パスを文字列で書いてください。",
    ),
    "no_sha256": (
        "{where} の {value} は SHA-256 ではありません。",
        "16 進数 64 桁を書いてください。kanna hash で確かめられます。",
    ),
    "empty_source": (
        "レシピの {where} には path も sha256 もありません。",
        "少なくとも一方を書いてください。",
    ),
    "bad_name": (
        "{where}: {name} はレシピの名前に使えません。",
        "64 文字までの文字、数字、_、- で付けてください。",
    ),
    "no_such_word": (
        "{where} に {value} は指定できません。",
        "次の中から選んでください: {known}。",
    ),
    "no_axis": (
        "{axis} は数の並びとして読めません。",
        "両端と刻みで 0.1:0.9:0.1 のように書くか、0.1,0.3,0.5 のように並べてください。",
    ),
    "axis_step": (
        "範囲 {axis} は終わりに届きません。",
        "3 番目の数が刻みです。1 番目から 2 番目へ進む値にしてください。",
    ),
    "axis_long": ("範囲 {axis} の数が {most} 個を超えています。", "刻みを大きくしてください。"),
    "no_steps": ("レシピにステップがありません。", "[[step]] を 1 つは書いてください。"),
    "too_many": (
        "レシピのステップが {steps} 個、またはモデルが {models} 個を超えています。",
        "いくつかのレシピに分けてください。",
    ),
    "too_deep": (
        "ステップ {step} で、ステップが重なりすぎています。重ねられるのは {most} 段までです。",
        "途中の結果をいったんファイルに書き出し、そこから続けてください。",
    ),
    "name_twice": (
        "レシピに {name} という名前のモデルかステップが 2 つあります。",
        "それぞれ別の名前にしてください。",
    ),
    "later_step": (
        "ステップ {step} は、後にある {name} を使っています。",
        "{name} を前に置いてください。自分自身を元にすることはできません。",
    ),
    "no_such_model": (
        "ステップ {step} が使う {name} はレシピにありません。",
        "そこまでにあるのは次のものです: {known}。",
    ),
    "model_count": (
        "ステップ {step} は {method} にモデルを {count} 個渡していますが、必要なのは {wanted} です。",
        "kanna explain {method} を見てください。",
    ),
    "base_missing": (
        "ステップ {step} にベースがありません。{method} はベースとの差分を使います。",
        'base = "名前" を書いてください。',
    ),
    "base_unused": (
        "ステップ {step} にベースがありますが、{method} は使いません。",
        "base を消すか、ベースを使う手法にしてください。手法の一覧は kanna methods で見られます。",
    ),
    "lora_weights": (
        "ステップ {step} には、モデル 1 つとそれに続く LoRA、LoRA ごとの強さが必要です。",
        'models = ["a", "lora"] と weights = [0.8] のように書いてください。',
    ),
    "lora_no_file": (
        "ステップ {step} は {name} を LoRA として使っていますが、これはステップです。",
        "LoRA は [models] に書いたファイルでなければなりません。",
    ),
    "no_such_step": (
        "レシピに {name} というステップはありません。",
        "あるのは次のものです: {known}。",
    ),
    "no_such_vae": (
        "VAE の元になる {name} というモデルはレシピにありません。",
        "a、merge、または次のどれかを書いてください: {known}。",
    ),
    "too_many_outputs": (
        "軸の組み合わせで出力が {count} 個になります。1 個から {most} 個までです。",
        "数を減らしてください。",
    ),
    "no_such_number": ("レシピに {path} という数はありません。", "あるのは次のものです: {known}。"),
    "which_step": (
        "{path} はいくつかのステップにあります。",
        "ステップ名とドットを前に付けてください。あるのは次のステップです: {known}。",
    ),
    "bad_set": (
        "--set {given} では何も設定できません。",
        "--set mix.alpha=0.3 のように、ステップ.パラメータ=値 と書いてください。",
    ),
    "bad_sweep": (
        "--sweep {given} は軸として読めません。",
        "--sweep alpha=0.1:0.9:0.1 のように、パラメータ=最初:最後:刻み と書いてください。",
    ),
    "same_output": (
        "2 つの出力が同じ名前 {path} になります。",
        "{{mix.alpha}} のように、すべての軸を名前に入れてください。",
    ),
    "no_such_placeholder": (
        "出力の名前にある {{{name}}} は軸ではありません。",
        "使えるのは次のものです: {known}。",
    ),
    "unused_model": "モデル {name} はどのステップでも使われていません",
    "unused_step": "ステップ {name} の結果はどこでも使われていません",
    "foreign_broken": (
        "{program} の内容がレシピとして読めません。",
        "kanna meta show --raw {program} で内容を確かめられます。",
    ),
    "foreign_type": (
        "kanna では読めないプログラムのレシピです: {type}。",
        "読めるのは kanna 自身と次のプログラムのレシピです: {known}。",
    ),
    "foreign_version": (
        "{program} のレシピのバージョンが違います。",
        "読めるのは「{known}」で始まるレシピです。",
    ),
    "foreign_method": (
        "{program} のレシピにある {method}（{where}）は kanna では再現できません。",
        "使える手法は kanna methods で見られます。そのステップは手で書いてください。",
    ),
    "foreign_rule": (
        "{program} のレシピにある {where} は kanna に引き継げません。",
        "レシピを手で書いてください。書き方は docs/recipes.ja.md にあります。",
    ),
    "foreign_line": (
        "{program} のレシピの {line} 行目が壊れています。",
        "{program} で書き出し直してください。",
    ),
    "foreign_discard": "A1111 は {pattern} に一致するテンソルを除いていましたが、このレシピでは除きません",
    "foreign_vae": "VAE {name} はファイル名しか分かりません",
    "none_inside": (
        "{path} には kanna が読めるレシピがありません。",
        "レシピは kanna、A1111、SuperMerger、sd-mecha でマージしたモデルに、省かれていなければ入っています。",
    ),
    "no_utf8": (
        "{path} は UTF-8 のテキストではありません: {reason}。",
        "UTF-8 で保存してください。",
    ),
    "sources_missing": (
        "レシピのモデルが見つかりません: {names}（{path} …）。",
        "モデルのあるフォルダを --models で指定してください。ハッシュは kanna recipe show で分かります。",
    ),
    "converted": "{path} のレシピは {program} のものです。kanna の形式に変換しました。",
    "counted": "モデル {models} 個、ステップ {steps} 個",
    "written_by": "{program} のレシピを変換したもの",
    "state_found": "あり:",
    "state_missing": "見つかりません",
    "state_other": "別のファイル:",
    "output": "出力: {wishes}",
    "axis": "{path} は {count} 通り: {numbers}",
    "ancestors": "さらに元になったモデル:",
    "makes_sense": "誤りはありません",
}
