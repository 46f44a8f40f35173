"""`kanna merge`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "needs_torch": (
        "マージ方式 {method} には torch が必要ですが、インストールされていません。",
        '次のコマンドでインストールしてください: pip install "kanna[torch]"',
    ),
    "no_device": (
        "この環境の torch ではデバイス {device} を使えません。",
        "--device を外すか、そのデバイスに対応した torch をインストールしてください。",
    ),
    "no_such_method": (
        "マージ方式 {method} はありません。",
        "{near} のことですか。一覧は kanna methods で見られます。",
    ),
    "shapes_differ": (
        "{name} の形が、1 つ目のモデルでは {first}、別のモデルでは {second} です。",
        "同じアーキテクチャのモデルをマージしてください。入力チャンネルが多いモデルは先頭に置きます。",
    ),
    "not_in_a1111": (
        "A1111 には、この数のモデルに使える方式 {method} がありません。",
        "--compat を外すか、次のどれかを選んでください: {known}",
    ),
    "alpha_for_two": (
        "alpha は 2 つのモデルを混ぜるときの B の割合ですが、モデルが {count} 個あるか、weights も指定されています。",
        "alpha を外し、weights でモデルごとに 1 つずつ数値を指定してください。",
    ),
    "weights_cancel": (
        "重みの合計が 0 なので、合計を 1 にそろえられません。",
        "別の重みにするか、normalize を false にしてください。",
    ),
    "nothing_left": (
        "alpha と beta の積が 1 です。B を取り除くと何も残りません。",
        "alpha か beta を小さくしてください。",
    ),
    "no_such_parameter": (
        "マージ方式 {method} にパラメーター {parameter} はありません。",
        "使えるのは次のとおりです: {known}",
    ),
    "wrong_count": (
        "{method} の {parameter} は {count} 個ですが、モデルは {models} 個あります。",
        "モデルごとに 1 つずつ指定してください。",
    ),
    "parameter_missing": (
        "マージ方式 {method} には {parameter} の値が必要です。",
        "kanna explain {method} を見てください。",
    ),
    "parameter_kind": (
        "{method} の {parameter} に {value} は指定できません。",
        "種類は {kind}（{words}）です。kanna explain {method} を見てください。",
    ),
    "parameter_range": (
        "{method} の {parameter} に {value} は指定できません。範囲は {least}〜{most} です。",
        "この範囲の数を指定してください。",
    ),
    "lora_as_model": (
        "{path} は LoRA です。モデルへの変更分であって、モデルではありません。",
        "kanna lora bake でチェックポイントに焼き込むか、LoRA 同士なら kanna lora merge を使ってください。",
    ),
    "no_model": (
        "{path} はマージできるモデルではありません（{kind}）。",
        "ファイルの種類は kanna inspect で分かります。外してください。",
    ),
    "incomplete": (
        "{path} は不完全です。拡散モデルのテンソルが {count} 個、欠けているか形が違います（{names} …）。",
        "ダウンロードし直すか、別のファイルを使ってください。",
    ),
    "nothing_in_common": (
        "{path}（{theirs}）と {lead}（{ours}）には共通の部品がありません。",
        "同じ種類のファイル同士をマージしてください。部品をチェックポイントに入れるには kanna join を使います。",
    ),
    "architectures": (
        "{path} は {theirs}、{lead} は {ours} です。共通の重みがありません。",
        "同じアーキテクチャのモデルをマージしてください。",
    ),
    "predictions": (
        "{path} の予測方式は {theirs}、{lead} は {ours} です。混ぜるとどちらでもなくなります。",
        "予測方式が同じモデルをマージしてください。ファイルの表示が間違っているときは kanna convert --marker で直せます。",
    ),
    "encoders": (
        "{path} のテキストエンコーダー（{theirs}）は {lead} のもの（{ours}）と種類が違います。",
        "同じテキストエンコーダーのモデルをマージするか、kanna split で拡散モデルだけを取り出してマージしてください。",
    ),
    "vaes": (
        "{path} の VAE（{theirs}）は {lead} の VAE（{ours}）と潜在空間が違います。",
        "--vae merge を外してください。片方の VAE がそのまま残ります。",
    ),
    "no_numbers": (
        "{path} の {name} は {dtype} なので、{lead} にマージできません。",
        "fp16、bf16、fp32 のどれかの版を使ってください。",
    ),
    "shapes": (
        "{path} は {lead} に合いません。{name} の形が {theirs} と {ours} で違います（違うテンソルは {count} 個）。",
        "アーキテクチャと大きさが同じモデルをマージしてください。kanna inspect で確かめられます。",
    ),
    "narrow_leads": (
        "{path} の入力は {theirs} チャンネルですが、先頭の {lead} は {ours} チャンネルしかありません。",
        "{path} を先頭に置いてください。最初の {ours} チャンネルだけがマージされ、残りはそのままです。",
    ),
    "built_differently": (
        "{path} と {lead} は構造が違います。片方にしかないテンソルが {count} 個あります（{name} …）。",
        "構造が同じモデルをマージしてください。蒸留モデルは元のモデルとはマージできません。",
    ),
    "layouts": (
        "{path} の{part}を {theirs} の名前から {ours} の名前に変換できません。",
        "{ours} の名前の版を使ってください。",
    ),
    "lacking": (
        "{path} には {lead} のテンソルのうち {count} 個がありません（{name} …）。",
        "--missing refuse を外せば、{lead} のものがそのまま残ります。",
    ),
    "strange": (
        "{path} には、{lead} に入れる場所のないテンソルが {count} 個あります（{name} …）。",
        "--missing refuse を外せば、それらは使われません。",
    ),
    "no_such_source": (
        "レシピに {name} というモデルはありません。",
        "あるのは次のとおりです: {known}",
    ),
    "ema_word": (
        "マージで EMA に {word} は指定できません。",
        "--ema drop か --ema keep を使ってください。EMA の重みをマージするには、先に kanna convert --ema use でモデルにします。",
    ),
    "not_found": (
        "レシピで {name} と呼ばれる {path} が見つかりません。",
        "それがあるフォルダーかパスを指定してください。",
    ),
    "other_file": (
        "{path} は、レシピで {name} と呼ばれるファイルではありません。SHA-256 が {wanted} ではなく {found} です。",
        "正しいファイルを探すか、レシピからハッシュを消してください。",
    ),
    "unknown": "{lead} が何なのか分かりません。名前と形が同じテンソルを、種類によらずマージします。",
    "halved": "そのうち {count} 個のテンソルは量子化されていたので {dtype} になります（--dtype で変えられます）。",
    "decoded": "{name} の {part} は量子化されています（{scheme}）。元の数値に戻してマージします。",
    "wide": "{tensor}: 入力 {count} チャンネルのうち最初の {merged} チャンネルをマージし、残りは {lead} のままです。",
    "part_of_lead": "{name} には {parts} がないので、{lead} のものがそのまま残ります。",
    "part_left_out": "{name} には {lead} にない部品があります。それらは使われません: {parts}",
    "lacks": "{name} には {lead} のテンソルのうち {count} 個がなく、それらは {lead} のまま残ります（{example} …）。",
    "strangers": "{name} には {lead} に入れる場所のないテンソルが {count} 個あり、使われません（{example} …）。",
    "ema_kept": "{lead} の EMA をそのまま入れます。このモデルの平均ではなくなるので、追加学習には使わないでください。",
    "vae_of_lead": "VAE は {lead} のものをそのまま使います（--vae で変えられます）。",
    "no_vae": "{lead} には VAE がなく、出力にも入りません。--vae で、{name} などの VAE を入れられます。",
    "same_file": "{first} と {second} は同じファイルです: {path}",
    "compat_ema": "A1111 では EMA もマージされますが、kanna では混ぜません。",
    "not_so_many": (
        "{name} の数値は {count} 個で、{numbers} 個ではありません。調整できる潜在空間ではありません。",
        "潜在空間が 4 チャンネルの Stable Diffusion 1、2、XL のモデルを調整してください。",
    ),
}
