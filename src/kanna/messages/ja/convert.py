"""`kanna convert`: help, what a plan does, and why one is refused."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "望みの形に変換します。",
    "help": "FILE を望みの形に変換します。形式、精度、EMA、不要データの削除、VAE の焼き込み、position_ids "
    "の修復ができます。\n\n元のファイルは変更しません。出力は検証まで済んだ完全な形で現れるか、まったく"
    "現れないかのどちらかです。",
    "examples": "例:\n\n"
    "  kanna convert model.ckpt --for generation --vae vae.safetensors -o model.safetensors\n\n"
    "  kanna convert model.ckpt --for training -o trained/\n\n"
    "  kanna convert *.safetensors --dtype bf16 --vae-dtype fp32 -o converted/\n\n"
    "  kanna convert model.ckpt --ema use --dry-run",
    "option_output": "出力ファイル。フォルダーを指定すると名前は自動で付きます（省略時は入力と同じ"
    "フォルダー）。",
    "option_for": "generation（生成用）: fp16、EMA なし、不要データ削除、position_ids 修復、safetensors。"
    "training（学習用）: fp32、EMA を残し、学習状態だけを除きます。個別の指定が優先されます。",
    "option_to": "ファイル形式（省略時は出力名の拡張子、それもなければ safetensors）。",
    "option_dtype": "すべての浮動小数テンソルの精度。",
    "option_unet_dtype": "拡散モデル本体の精度。",
    "option_te_dtype": "テキストエンコーダーの精度。",
    "option_vae_dtype": "VAE の精度。",
    "option_ema_dtype": "EMA の精度。",
    "option_ema": "EMA を残す（keep）、除く（drop）、本体と置き換える（use）。",
    "option_prune": "不要とわかっているデータを除きます。未知のテンソルは残します。",
    "option_vae": "このファイルの VAE を焼き込みます。VAE 単体、チェックポイント、diffusers 形式のどれでも"
    "使えます。",
    "option_position_ids": "壊れた position_ids の扱い: repair（0〜76 に修復。画像が変わります）、truncate"
    "（現在の読み込み結果のまま整数化）、keep（そのまま）、drop（除く）。",
    "option_rename_keys": "NAI 形式のテキストエンコーダーのテンソル名を標準の名前に直します。",
    "option_marker": "モデルの予測方式を示す空のテンソルを入れます（繰り返し指定できます）。",
    "option_allow_overflow": "値がその精度に収まらなくても出力します。",
    "option_no_hash": "データの SHA-256 を計算しません（速くなります）。",
    "option_verify": "出力の検証。header はヘッダーのみ、full は全バイトを読み直します。",
    "option_dry_run": "何をするかを表示するだけで、何も書き込みません。",
    "option_force": "既存の出力ファイルを置き換えます。",
    "option_threads": "スレッド数（省略時はコア数、最大 4）。",
    "before": "変換前",
    "after": "変換後",
    "more_notes": "… ほか {count} 件（-v ですべて表示）",
    "dry_run": "何も書き込んでいません（--dry-run）。実行すると {tensors} 個のテンソルを書き込みます（作業用メモリ {memory}）。",
    "done_header": "{tensors} 個のテンソルを書き込み、ヘッダーを検証しました（{seconds} 秒、{speed}/s）。",
    "done_full": "{tensors} 個のテンソルを書き込み、全バイトを検証しました（{seconds} 秒、{speed}/s）。",
    "digest": "データの sha256 {digest}",
    "summary": "{done} 件を変換しました。{failed} 件は失敗しました。",
    "overflowed": "{name}: {count} 個の値が収まりませんでした。",
    "hash_dropped": "{field} は元のデータのハッシュなので除きました。",
    "ema_dropped": "EMA を除きます: {count} テンソル、{size}。",
    "ema_unmatched": "本体に対応するものがない EMA テンソル {count} 個は残します（{name} など）。",
    "ema_used": "EMA の重みを本体と置き換えます: {count} テンソル。",
    "junk_dropped": "不要データを除きます: {group}、{count} テンソル、{size}。",
    "schedule_kept": "{name} は標準のスケジュールと異なるため残します。",
    "unrecognised_kept": "未知のテンソル {count} 個は残します（{name} など）。",
    "trainer_state_dropped": "学習状態を除きます: {names}。",
    "ids_dropped": "{name} を除きます（読み込む側が自動で作ります）。",
    "ids_keep_damaged": "{name}: 位置 {wrong} に誤りがありますが、そのまま残します。修復するには "
    "--position-ids repair を付けてください。",
    "ids_keep_float": "{name} は値は正しいものの int64 ではありません。そのまま残します。",
    "ids_keep_unread": "{name}（{dtype}）は読み取れないため、そのまま残します。",
    "ids_repair_unread": "{name}（{dtype}）は読み取れないため、0〜76 で書き直します。",
    "ids_repair_damaged": "{name}: 位置 {wrong} に誤りがあるため（{dtype}）、0〜76 に修復します。壊れた"
    "ファイルとは生成画像が変わります。",
    "ids_repair_float": "{name} を {dtype} から int64 に直します。値は変わりません。",
    "ids_truncate_damaged": "{name}: 位置 {wrong} の誤り（{dtype}）は直さず、現在の読み込み結果どおりの int64 に"
    "します。",
    "ids_truncate_float": "{name} を {dtype} から int64 に直します。値は変わりません。",
    "cast": "{count} 個のテンソルの精度を変えます。整数、マーカー、position_ids は変えません。",
    "quantised_kept": "量子化された部品はそのまま残します（{part}: {scheme}）。",
    "renamed": "テキストエンコーダーのテンソル {count} 個を標準の名前に直します。",
    "embedding_flattened": "ベクトルの名前を {name} にします。safetensors の埋め込みはこの形で読まれます。",
    "several_embeddings": (
        "{path} には {count} 語分のベクトルが入っています。",
        "ckpt で書き出してください（--to ckpt）。safetensors には 1 語分しか入りません。",
    ),
    "marker_added": "{name} を入れます。モデルの扱い方をプログラムに伝える空のテンソルです。",
    "marker_there": "{name} はすでにあります。",
    "metadata_dropped": "メタデータから除きます: {fields}。",
    "marker_without_model": (
        "{name} は拡散モデルについてのマーカーですが、{path} に拡散モデルはありません。",
        "チェックポイントか拡散モデルを指定してください。",
    ),
    "vae_baked": "{name} の VAE を焼き込みます: {count} テンソル。",
    "vae_stranger": "{name} は {theirs} の VAE で、このモデルは {ours} です。形状は合いますが、画像が崩れる"
    "おそれがあります。",
    "vae_of_either": "{name} が {ours} 用かどうかはヘッダーからはわかりません（{theirs} のどれかです）。",
    "vae_extras_left": "{name} にある VAE 以外のテンソル {count} 個は取り込みません: {names}。",
    "still_lacks": "このファイルに含まれず、別途必要なもの: {parts}。",
    "ids_no_integers": (
        "{path} の {name} には、整数として読めない値があります。",
        "--position-ids repair を使ってください。",
    ),
    "refused": (
        "{path} の {name} は変換できません（同様のテンソルが {count} 個）: {reason}",
        "kanna inspect -v で一覧を確認し、これらを含まない版のモデルを使ってください。",
    ),
    "ema_absent": ("{path} に EMA はありません。", "--ema use を外してください。"),
    "ema_incomplete": (
        "{path} の EMA は不完全です。{count} 個のテンソルが足りません（{names} など）。",
        "--ema drop を使ってください。不完全な EMA を使うと別のモデルが混ざってしまいます。",
    ),
    "ema_is_the_model": (
        "{path} で完全なモデルは EMA だけで、除くと使えるものが残りません。",
        "--ema use を付けると EMA を本体にできます。",
    ),
    "vae_absent": (
        "{path} に VAE は含まれていません。",
        "VAE、または VAE を含むファイルを指定してください。",
    ),
    "vae_incomplete": (
        "{path} の VAE は不完全です。{count} 個のテンソルが足りません（{names} など）。",
        "VAE をダウンロードし直すか、別の VAE を使ってください。",
    ),
    "vae_lacks": (
        "{path} の VAE は {model} に合いません。{name} がありません。",
        "同じアーキテクチャの VAE を使ってください。プレビュー用の小さな VAE（TAESD）は使えません。",
    ),
    "vae_no_floats": (
        "{path} の VAE は量子化されています（{name} が {dtype}）。",
        "{model} には fp32、fp16、bf16 の VAE を使ってください。",
    ),
    "vae_unfit": (
        "{path} の VAE は {model} に合いません。{name} が {found} で、必要なのは {wanted} です。",
        "同じアーキテクチャの VAE を使ってください。",
    ),
    "vae_no_place": (
        "{path} は VAE を焼き込めるチェックポイントではありません。",
        "kanna inspect でファイルの内容を確認できます。",
    ),
    "vae_not_proved": (
        "完成した {path} の VAE が指定した VAE と一致しなかったため、破棄しました。",
        "kanna の不具合かディスクの故障です。ご報告ください。",
    ),
    "quantised": (
        "{path} は量子化されているため、精度を変えられません（{part}: {scheme}）。",
        "ほかの部品の精度だけを指定するか、先に kanna quantize FILE --to bf16 で復元してください。",
    ),
    "folder": (
        "{path} は複数のモデルを含む diffusers フォルダーです。",
        "kanna join で 1 つのファイルにまとめるか、サブフォルダーを指定してください。",
    ),
    "no_such_word": (
        "{option} に {word} は指定できません。",
        "{words} のどれかを指定してください。",
    ),
    "suffix_unknown": (
        "{name} という名前では、書き込む形式がわかりません。",
        "末尾を .safetensors、.ckpt、.gguf のいずれかにするか、--to を付けてください。",
    ),
    "suffix_differs": (
        "{name} は {container} 形式のファイル名ではありません。",
        "名前を変えるか、--to を外してください。",
    ),
    "would_replace": (
        "{path} は、このコマンドの入力または作ったばかりの出力（{name}）なので置き換えません。",
        "出力先に別のフォルダーを指定してください。",
    ),
    "no_name": ("出力の名前が空です。", "-o の後にファイルかフォルダーを指定してください。"),
    "same_output": (
        "入力のうち 2 つが {name} という名前で、出力名が重なります。",
        "1 つずつ変換するか、別のフォルダーに出力してください。",
    ),
}
