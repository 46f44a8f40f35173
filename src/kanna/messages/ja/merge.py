"""`kanna merge`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "複数のモデルを 1 つにマージします。",
    "help": "複数のモデルを 1 つにまとめます。A が土台になり、その重みをどうするかを METHOD で選びます（一覧は kanna methods、説明は kanna explain METHOD）。\n\nマージするのは重みだけです。position_ids、マーカー、バッファーは A のものをそのまま使い、EMA は除きます。VAE も、指定しない限り A のものです。合わない組み合わせは、重みを読む前にエラーにします。ベースが必要なマージ方法では、最後のモデルか --base がベースになります。出力にはレシピが入り、同じものをもう一度作れます。",
    "examples": "例:\n\n  kanna merge weighted-sum A.safetensors B.safetensors -a 0.3 -o out.safetensors\n\n  kanna merge add-difference A.safetensors B.safetensors base.safetensors -o out.safetensors\n\n  kanna merge weighted-sum A.safetensors B.ckpt -a 0.5 --blocks 'IN00-05=0.2, OUT*=0.7' --vae b -o out.safetensors\n\n  kanna merge ties A.safetensors B.safetensors --base base.safetensors --weights 0.6,0.4 -o out.safetensors --dry-run",
    "option_output": "出力ファイル。フォルダーを指定すると名前は自動で付きます。",
    "option_base": "差分の基準になるモデル。",
    "option_alpha": "マージの強さ（マージ方法の alpha か scale）。",
    "option_weights": "モデルごとの重み。モデルと同じ個数を指定します。",
    "option_set": "マージ方法のほかのパラメーター（複数指定可）。",
    "option_blocks": "--alpha の層別ウェイト。数値のリスト、IN00-05=0.3 のようなルール、またはプリセット。",
    "option_elements": "名前で選んだテンソルのウェイト。例: 'attn2.*to_k=0.2'（複数指定可。最後に当てはまるものが有効）。",
    "option_block_method": "一部のブロックに使う別のマージ方法。モデルは同じです（複数指定可）。",
    "option_seed": "乱数を使うマージ方法のシード。",
    "option_vae": "使う VAE。モデル（a、b …）、ファイル、または merge（すべての VAE をマージ）。",
    "option_ema": "EMA を除く（drop）か、A のものをそのまま残す（keep）。",
    "option_missing": "一部のモデルにしかないテンソルの扱い。keep は A のものを残し、refuse はエラーにします。",
    "option_compat": "A1111 と同じく演算のたびに丸め、VAE もマージします。",
    "option_device": "cuda など、計算に使うデバイス（torch が必要）。",
    "option_position_ids": "A の壊れた position_ids の扱い: repair（0〜76 に修復）、truncate、keep、drop。",
    "step": "{title}（{models}）",
    "not_hashed": "ハッシュ未計算",
    "merged": "マージ",
    "copied": "そのまま",
    "dropped": "除外",
    "kept_marker": "マーカー",
    "kept_position_ids": "position_ids",
    "kept_buffer": "バッファー",
    "kept_integer": "整数",
    "kept_vae": "VAE",
    "kept_baked": "焼き込む VAE",
    "kept_ema": "EMA",
    "kept_unknown": "用途不明",
    "kept_alone": "マージで変わらないもの",
    "dry_run": "何も書き込んでいません（--dry-run）。実行すると {size} を読み、{tensors} 個のテンソルを書き込みます（作業用メモリ {memory}）。",
    "needs_base": (
        "{method} には、ほかのモデルの学習元になったベースが必要です。",
        "--base で指定してください。",
    ),
    "takes_no_base": (
        "{method} はベースを使いません。",
        "--base を外すか、差分を足すマージ方法を選んでください: kanna methods base",
    ),
    "model_count": (
        "{method} でマージできるモデルは {wanted} 個です（指定は {count} 個）。",
        "kanna explain {method} を見てください。",
    ),
    "not_for_method": (
        "{method} に {option} で指定できるパラメーターはありません。",
        "使えるパラメーターは {known} です（--set で指定します）。",
    ),
    "bad_numbers": (
        "{option} にはカンマ区切りの数値を指定します（{given} は使えません）。",
        "{option} 0.5,0.3,0.2 のように書いてください。",
    ),
    "bad_block_method": (
        "{given} はブロックとマージ方法の組になっていません。",
        "IN*=ties のように書いてください。",
    ),
    "needs_torch": (
        "マージ方法 {method} には torch が必要ですが、インストールされていません。",
        '次のコマンドでインストールしてください: pip install "kanna[torch]"',
    ),
    "no_device": (
        "この環境の torch ではデバイス {device} を使えません。",
        "--device を外すか、そのデバイスに対応した torch をインストールしてください。",
    ),
    "no_such_method": (
        "マージ方法 {method} はありません。",
        "{near} のことですか。一覧は kanna methods で見られます。",
    ),
    "no_method_like": (
        "マージ方法 {method} はありません。",
        "一覧は kanna methods で見られます。コマンドラインでは、kanna merge weighted-sum A B -o OUT のように最初に方法を書きます。",
    ),
    "one_model": (
        "{method} には 2 個以上のモデルが必要ですが、1 個しか指定されていません。",
        "kanna explain {method} を見てください。",
    ),
    "bad_setting": (
        "{given} では何も設定できません。",
        "--set {example}=0.3 のように、名前=値 と書いてください。",
    ),
    "shapes_differ": (
        "{name} の形状が、1 つ目のモデルでは {first}、別のモデルでは {second} です。",
        "同じアーキテクチャのモデルをマージしてください。入力チャンネルが多いモデルは先頭に置きます。",
    ),
    "not_in_a1111": (
        "A1111 の {method} では、この数のモデルをマージできません。",
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
        "マージ方法 {method} にパラメーター {parameter} はありません。",
        "使えるのは次のとおりです: {known}",
    ),
    "wrong_count": (
        "{method} の {parameter} は {count} 個ですが、モデルは {models} 個あります。",
        "モデルごとに 1 つずつ指定してください。",
    ),
    "parameter_missing": (
        "マージ方法 {method} には {parameter} の値が必要です。",
        "kanna explain {method} を見てください。",
    ),
    "parameter_kind": (
        "{method} の {parameter} に {value} は指定できません。",
        "種類は {kind}（{words}）です。kanna explain {method} を見てください。",
    ),
    "parameter_range": (
        "{method} の {parameter} に {value} は指定できません。範囲は {least}〜{most} です。",
        "この範囲の数値を指定してください。",
    ),
    "lora_as_model": (
        "{path} は LoRA です。モデルへの変更分であって、モデルではありません。",
        "kanna lora bake でチェックポイントに焼き込むか、LoRA どうしなら kanna lora merge を使ってください。",
    ),
    "no_model": (
        "{path} はマージできるモデルではありません（{kind}）。",
        "ファイルの種類は kanna inspect でわかります。このファイルを外してください。",
    ),
    "incomplete": (
        "{path} は不完全です。拡散モデル本体のテンソルが {count} 個、欠けているか、形状が違います（{names} …）。",
        "ダウンロードし直すか、別のファイルを使ってください。分割されたモデルなら .index.json を指定します。",
    ),
    "nothing_in_common": (
        "{path}（{theirs}）と {lead}（{ours}）には共通の部品がありません。",
        "同じ種類のファイルどうしをマージしてください。部品をチェックポイントに入れるには kanna join を使います。",
    ),
    "only_vae": (
        "{path} と {lead} に共通するのは VAE だけです。VAE は、指定がない限りマージされません。",
        "VAE を入れ替えるには --vae FILE を使うか、マージせずに kanna convert --vae を使ってください。VAE 同士を混ぜるには --vae merge を指定します。",
    ),
    "architectures": (
        "{path} は {theirs}、{lead} は {ours} です。重みの構成が違います。",
        "同じアーキテクチャのモデルをマージしてください。",
    ),
    "predictions": (
        "{path} の予測方式は {theirs}、{lead} は {ours} です。混ぜると、どちらの方式でも使えなくなります。",
        "予測方式が同じモデルをマージしてください。ファイルの情報が間違っているときは kanna convert --marker で直せます。",
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
        "fp16、bf16、fp32 のどれかのモデルを使ってください。",
    ),
    "shapes": (
        "{path} は {lead} に合いません。{name} の形状が {theirs} と {ours} で違います（違うテンソルは {count} 個）。",
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
        "{path} の{part}の名前を {theirs} 形式から {ours} 形式に変換できません。",
        "{ours} 形式のモデルを使ってください。",
    ),
    "lacking": (
        "{path} には {lead} のテンソルのうち {count} 個がありません（{name} …）。",
        "--missing refuse を外せば、{lead} のものがそのまま残ります。",
    ),
    "strange": (
        "{path} には、{lead} に入れる場所のないテンソルが {count} 個あります（{name} …）。",
        "--missing refuse を外せば、それらは使われません。",
    ),
    "ema_word": (
        "マージで EMA に {word} は指定できません。",
        "--ema drop か --ema keep を使ってください。EMA の重みをマージするには、先に kanna convert --ema use で本体にします。",
    ),
    "not_found": (
        "レシピで {name} と呼ばれる {path} が見つかりません。",
        "それがあるフォルダーかパスを指定してください。",
    ),
    "other_file": (
        "{path} は、レシピで {name} と呼ばれるファイルではありません。SHA-256 が {wanted} ではなく {found} です。",
        "正しいファイルを探すか、レシピからハッシュを消してください。",
    ),
    "unknown": "{lead} が何なのかわかりません。名前と形状が同じテンソルを、種類に関係なくマージします。",
    "halved": "そのうち {count} 個のテンソルは量子化されていたので {dtype} になります（--dtype で変えられます）。",
    "decoded": "{name} の {part} は量子化されています（{scheme}）。通常の数値に戻してマージします。",
    "wide": "{tensor}: 入力 {count} チャンネルのうち最初の {merged} チャンネルをマージし、残りは {lead} のままです。",
    "prediction_unknown": "{names} の予測方式（epsilon か v か）はヘッダーからは分かりません。予測方式の違うモデルを混ぜると、まともな画像は出ません。",
    "part_of_lead": "{name} には {parts} がないので、{lead} のものがそのまま残ります。",
    "part_left_out": "{name} には {lead} にない部品があります。それらは使われません: {parts}",
    "lacks": "{name} には {lead} のテンソルのうち {count} 個がなく、それらは {lead} のまま残ります（{example} …）。",
    "strangers": "{name} には {lead} に入れる場所のないテンソルが {count} 個あり、使われません（{example} …）。",
    "ema_kept": "{lead} の EMA をそのまま残します。このモデルの平均ではなくなるので、追加学習には使わないでください。",
    "vae_of_lead": "VAE は {lead} のものをそのまま使います（--vae で変えられます）。",
    "no_vae": "{lead} には VAE がなく、出力にも入りません。--vae で、{name} などの VAE を入れられます。",
    "same_file": "{first} と {second} は同じファイルです: {path}",
    "compat_ema": "A1111 では EMA もマージされますが、kanna では混ぜません。",
    "not_so_many": (
        "{name} の数値は {count} 個で、{numbers} 個ではありません。調整できる潜在空間ではありません。",
        "調整できるのは、潜在空間が 4 チャンネルの Stable Diffusion 1、2、XL のモデルです。",
    ),
}
