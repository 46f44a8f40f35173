"""`kanna recipe`, and what is wrong with a recipe."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "マージのレシピを検査・表示し、モデルから取り出します。",
    "help": "ファイルやモデルの中にあるマージのレシピを読みます。",
    "examples": "例:\n\n  kanna recipe of merged.safetensors > recipe.toml\n\n  kanna recipe show merged.safetensors --models models/\n\n  kanna recipe check recipe.toml",
    "no_toml": (
        "レシピが TOML として読めません: {reason}。",
        "レシピの書き方は docs/recipes.ja.md にあります。",
    ),
    "too_long": (
        "レシピが {limit} 文字を超えています。",
        "別のファイルではないか確認してください。",
    ),
    "no_version": (
        "レシピに kanna = 1 の行がありません。",
        "kanna のレシピなら、先頭にその行を書いてください。",
    ),
    "other_version": (
        "レシピのバージョンは {version} ですが、この kanna が読めるのは {known} です。",
        "新しい kanna を使うか、kanna = {known} と書いてください。",
    ),
    "unknown_key_near": ("レシピに {where} という項目はありません。", "{near} のことですか。"),
    "unknown_key": (
        "レシピに {where} という項目はありません。",
        "使えるのは次のとおりです: {known}",
    ),
    "key_missing": (
        "レシピに {where} がありません。",
        "何を書くかは docs/recipes.ja.md にあります。",
    ),
    "no_table": (
        "レシピの {where} に {value} は書けません。",
        "テーブルで書いてください: {{ key = value }}",
    ),
    "no_list": ("レシピの {where} に {value} は書けません。", '配列で書いてください: ["a", "b"]'),
    "no_text": ("レシピの {where} に {value} は書けません。", '文字列で書いてください: "a"'),
    "no_flag": ("レシピの {where} に {value} は書けません。", "true か false を書いてください。"),
    "no_count": ("レシピの {where} に {value} は書けません。", "整数を書いてください。"),
    "no_number": (
        "レシピの {where} に {value} は書けません。",
        "0.3 のような数値を書いてください。",
    ),
    "no_path": (
        "レシピの {where} にファイルの指定がありません。",
        "パスを文字列で書いてください。",
    ),
    "no_sha256": (
        "{where} の {value} は SHA-256 ではありません。",
        "16 進数 64 桁で書いてください。kanna hash で確認できます。",
    ),
    "empty_source": (
        "レシピの {where} には path も sha256 もありません。",
        "少なくとも一方を書いてください。",
    ),
    "bad_name": (
        "{where}: {name} はレシピの名前に使えません。",
        "文字、数字、_、- を使って 64 文字以内で付けてください。",
    ),
    "no_such_word": (
        "{where} に {value} は指定できません。",
        "次の中から選んでください: {known}",
    ),
    "no_axis": (
        "{axis} は数値の範囲やリストとして読めません。",
        "0.1:0.9:0.1 のように「最初:最後:刻み」で書くか、0.1,0.3,0.5 のように並べてください。",
    ),
    "axis_step": (
        "範囲 {axis} は最後の値に届きません。",
        "3 番目の数値が刻みです。最初の値から最後の値へ進む向きにしてください。",
    ),
    "axis_long": ("範囲 {axis} の値が {most} 個を超えています。", "刻みを大きくしてください。"),
    "no_steps": ("レシピにステップがありません。", "[[step]] を 1 つは書いてください。"),
    "too_many": (
        "レシピのステップが {steps} 個、またはモデルが {models} 個を超えています。",
        "いくつかのレシピに分けてください。",
    ),
    "too_deep": (
        "ステップ {step} は、ステップの重なりが深すぎます。重ねられるのは {most} 段までです。",
        "途中の結果をいったんファイルに書き出し、そこから続けてください。",
    ),
    "name_twice": (
        "レシピに {name} という名前のモデルかステップが 2 つあります。",
        "それぞれ別の名前にしてください。",
    ),
    "later_step": (
        "ステップ {step} は、後にある {name} を使っています。",
        "{name} を前に置いてください。自分自身を使うこともできません。",
    ),
    "no_such_model": (
        "ステップ {step} が使う {name} はレシピにありません。",
        "使えるのは次のとおりです: {known}",
    ),
    "model_count": (
        "ステップ {step} は {method} にモデルを {count} 個渡していますが、必要なのは {wanted} です。",
        "kanna explain {method} を見てください。",
    ),
    "base_missing": (
        "ステップ {step} にベースがありません。{method} には、差分の基準になるベースが必要です。",
        'base = "名前" を書いてください。',
    ),
    "base_unused": (
        "ステップ {step} にベースがありますが、{method} は使いません。",
        "base を消すか、ベースを使うマージ方法にしてください。一覧は kanna methods で表示できます。",
    ),
    "lora_weights": (
        "ステップ {step} には、モデル 1 つとそれに続く LoRA、LoRA ごとの強さが必要です。",
        'models = ["a", "lora"] と weights = [0.8] のように書いてください。',
    ),
    "lora_no_file": (
        "ステップ {step} は {name} を LoRA として使っていますが、これはステップです。",
        "LoRA には [models] に書いたファイルを指定してください。",
    ),
    "no_such_step": (
        "レシピに {name} というステップはありません。",
        "あるのは次のとおりです: {known}",
    ),
    "no_such_vae": (
        "VAE の元になる {name} というモデルはレシピにありません。",
        "a、merge、または次のどれかを書いてください: {known}",
    ),
    "too_many_outputs": (
        "軸の組み合わせで出力が {count} 個になります。1 個から {most} 個までです。",
        "値の数を減らしてください。",
    ),
    "no_such_number": (
        "レシピに {path} という数値はありません。",
        "あるのは次のとおりです: {known}",
    ),
    "which_step": (
        "{path} はいくつかのステップにあります。",
        "先頭に「ステップ名.」を付けてください。該当するステップ: {known}",
    ),
    "bad_set": (
        "--set {given} では何も設定できません。",
        "--set mix.alpha=0.3 のように、ステップ.パラメーター=値 と書いてください。",
    ),
    "bad_sweep": (
        "--sweep {given} は軸として読めません。",
        "--sweep alpha=0.1:0.9:0.1 のように、パラメーター=最初:最後:刻み と書いてください。",
    ),
    "same_output": (
        "2 つの出力が同じ名前 {path} になります。",
        "{{mix.alpha}} のように、すべての軸を名前に入れてください。",
    ),
    "no_such_placeholder": (
        "出力の名前にある {{{name}}} は軸ではありません。",
        "使えるのは次のとおりです: {known}",
    ),
    "unused_model": "モデル {name} はどのステップでも使われていません",
    "unused_step": "ステップ {name} の結果はどこでも使われていません",
    "foreign_broken": (
        "{program} の内容がレシピとして読めません。",
        "kanna meta show --raw {program} で内容を確認できます。",
    ),
    "foreign_type": (
        "kanna では読めないプログラムのレシピです: {type}。",
        "読めるのは kanna と次のプログラムのレシピです: {known}",
    ),
    "foreign_version": (
        "{program} のレシピのバージョンが違います。",
        "読めるのは「{known}」で始まるレシピです。",
    ),
    "foreign_method": (
        "{program} のレシピにある {method}（{where}）は kanna では再現できません。",
        "使えるマージ方法は kanna methods で表示できます。そのステップは手作業で書いてください。",
    ),
    "foreign_rule": (
        "{program} のレシピにある {where} は kanna では使えません。",
        "レシピを手作業で書いてください。書き方は docs/recipes.ja.md にあります。",
    ),
    "foreign_line": (
        "{program} のレシピの {line} 行目が壊れています。",
        "{program} で書き出し直してください。",
    ),
    "foreign_discard": "A1111 は {pattern} に一致するテンソルを除いていましたが、このレシピでは除きません",
    "foreign_vae": "VAE {name} はファイル名しかわかりません",
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
        "モデルのあるフォルダーを --models で指定してください。ハッシュは kanna recipe show でわかります。",
    ),
    "converted": "{path} のレシピは {program} のものです。kanna の形式に変換しました。",
    "counted": "モデル {models} 個、ステップ {steps} 個",
    "written_by": "{program} のレシピを変換したもの",
    "state_library": "ライブラリで見つかりました:",
    "state_found": "あり:",
    "state_missing": "見つかりません",
    "state_other": "別のファイル:",
    "output": "出力: {wishes}",
    "axis": "{path} は {count} 通り: {numbers}",
    "ancestors": "さらに元になったモデル:",
    "makes_sense": "誤りはありません",
}
