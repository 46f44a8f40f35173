"""`kanna merge`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "複数のモデルを 1 つにマージします。",
    "help": "複数のモデルを 1 つにまとめます。A が土台になり、その重みをどうするかを METHOD で選びます（一覧は kanna methods、説明は kanna explain METHOD）。\n\nマージするのは重みだけです。位置 ID、マーカー、バッファは A のものをそのまま使い、EMA は外します。VAE も指定しない限り A のものです。合わないモデルは、何も読まないうちに断ります。ベースが必要な方式では、最後のモデルか --base がベースです。出力にはレシピが入り、そこから同じものを作り直せます。",
    "examples": "例:\n\n  kanna merge weighted-sum A.safetensors B.safetensors -a 0.3 -o out.safetensors\n\n  kanna merge add-difference A.safetensors B.safetensors base.safetensors -o out.safetensors\n\n  kanna merge weighted-sum A.safetensors B.ckpt -a 0.5 --blocks 'IN00-05=0.2, OUT*=0.7' --vae b -o out.safetensors\n\n  kanna merge ties A.safetensors B.safetensors --base base.safetensors --weights 0.6,0.4 -o out.safetensors --dry-run",
    "option_output": "出力ファイル。フォルダーなら名前を付けて入れます。",
    "option_base": "差分の基準になるモデル。",
    "option_alpha": "マージの強さ（方式の alpha か scale）。",
    "option_weights": "モデルごとの数。モデルと同じ個数を指定します。",
    "option_set": "方式のほかのパラメーター（複数指定可）。",
    "option_blocks": "--alpha の層別の値。数の並び、IN00-05=0.3 のような規則、またはプリセット。",
    "option_elements": "名前で選んだテンソルの値。例: 'attn2.*to_k=0.2'（複数指定可。最後に当てはまるものが有効）。",
    "option_block_method": "一部の層に使う別の方式。モデルは同じです（複数指定可）。",
    "option_seed": "乱数を使う方式のシード。",
    "option_vae": "どの VAE を使うか。モデル（a、b …）、ファイル、または全部のマージ（merge）。",
    "option_ema": "EMA を外す（drop）か、A のものをそのまま入れる（keep）。",
    "option_missing": "一部のモデルにしかないテンソル。A のものを残す（keep）か、断る（refuse）。",
    "option_compat": "A1111 と同じく演算のたびに丸めて計算し、VAE もマージします。",
    "option_device": "cuda など、計算に使うデバイス（torch が必要）。",
    "option_prune": "A の不要なテンソルを外します。",
    "option_position_ids": "A の位置 ID が壊れているとき。repair（0…76 に修復）、truncate、keep、drop。",
    "step": "{title}（{models}）",
    "not_hashed": "ハッシュ未計算",
    "merged": "マージ",
    "copied": "そのまま",
    "dropped": "外す",
    "kept_marker": "マーカー",
    "kept_position_ids": "位置 ID",
    "kept_buffer": "バッファ",
    "kept_integer": "整数",
    "kept_vae": "VAE",
    "kept_ema": "EMA",
    "kept_unknown": "用途不明",
    "kept_alone": "マージで変わらないもの",
    "dry_run": "何も書き込んでいません（--dry-run）。書き込むテンソルは {tensors} 個、読み込みは {size}、バッファは {memory} です。",
    "needs_base": (
        "{method} には、ほかのモデルの学習元になったベースが必要です。",
        "--base で指定してください。",
    ),
    "takes_no_base": (
        "{method} はベースを使いません。",
        "--base を外すか、差分を足す方式を選んでください: kanna methods base",
    ),
    "model_count": (
        "{method} でマージするモデルは {wanted} 個です。{count} 個ではできません。",
        "kanna explain {method} を見てください。",
    ),
    "not_for_method": (
        "{method} には {option} で指定する数がありません。",
        "パラメーターは {known} です。--set で指定できます。",
    ),
    "bad_weights": (
        "{given} は数の並びではありません。",
        "0.5,0.3,0.2 のように書いてください。",
    ),
    "bad_block_method": (
        "{given} は層と方式の組になっていません。",
        "IN*=ties のように書いてください。",
    ),
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
