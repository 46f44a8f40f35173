"""About containers: safetensors, shards, model folders, GGUF."""

from __future__ import annotations

from typing import Final

_DAMAGED: Final = "ファイルが壊れているか、作成したプログラムに不具合があります。ダウンロードし直すか、配布元に知らせてください。"
_GGUF_DAMAGED: Final = (
    "ダウンロードし直してください。それでも直らない場合は、配布元での作り直しが必要です。"
)

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "pickle_in_disguise": (
        "{path} は名前が {suffix} で終わっていますが、中身は PyTorch の pickle です。",
        "拡張子だけで判断するプログラムで開くと、中のコードが実行されるおそれがあります。入手元を信頼できる場合は、拡張子を .ckpt に変えてください。kanna は何も実行せずに読み込みます。",
    ),
    "other_name": "名前は {suffix} で終わっていますが、中身は {content} です。中身に従って読み込みました。",
    "lone_shard": "これは {total} 個に分割されたうちの {part} 個目です。全体を開くには、同じ場所にある *.index.json を指定してください。",
    "duplicate": ("{path} には {name} という項目が 2 つあります。", _DAMAGED),
    "cut_short": (
        "{path} は途中で切れています。ダウンロードまたはコピーが {percent} % で止まり、{need} のうち {have} しかありません。",
        "もう一度ダウンロードまたはコピーしてください。",
    ),
    "leads_outside": (
        "{path}: {name} はフォルダーの外を指しているため、たどりません。",
        "ファイルそのものをそこに置くか、元の場所を直接指定してください。",
    ),
    "json_too_long": (
        "{path} は {limit:,} バイトを超えており、この種類のファイルとしては長すぎます。",
        _DAMAGED,
    ),
    "json_crowded": ("{path}: ヘッダーの項目数が多すぎます。", _DAMAGED),
    "json_nested": ("{path}: ヘッダーの入れ子が深すぎます。", _DAMAGED),
    "json_invalid": ("{path}: 正しい JSON として読めません（{reason}）。", _DAMAGED),
    "json_no_object": ("{path} は JSON ですが、オブジェクトではありません。", _DAMAGED),
    "st_no_header": (
        "{path} は短すぎて、safetensors ファイルではありえません。",
        "もう一度ダウンロードまたはコピーしてください。",
    ),
    "st_header_length": (
        "{path} のヘッダー長は {length:,} バイトと記されていますが、許されるのは 2 から {limit:,} までです。",
        "壊れているか、safetensors ではありません。ダウンロードし直してください。",
    ),
    "st_header_cut": (
        "{path} はヘッダーの途中で終わっています。ヘッダーだけで {header} 必要ですが、ファイルは {have} です。",
        "ダウンロードまたはコピーが途中で止まっています。やり直してください。",
    ),
    "st_header_start": ("{path}: ヘッダーが波かっこで始まっていません。", _DAMAGED),
    "st_metadata": ("{path}: __metadata__ に、文字列どうしの組でないものがあります。", _DAMAGED),
    "st_fields": (
        "{path}: {tensor} の項目が dtype、shape、data_offsets の 3 つだけになっていません。",
        _DAMAGED,
    ),
    "st_dtype": ("{path}: {tensor} の dtype {dtype} は safetensors にありません。", _DAMAGED),
    "st_shape": ("{path}: {tensor} の形状 {shape} はありえません。", _DAMAGED),
    "st_offsets": ("{path}: {tensor} の data_offsets {offsets} はありえません。", _DAMAGED),
    "st_size": (
        "{path}: {tensor} は dtype と形状から {need:,.15g} バイト必要ですが、data_offsets の範囲は {have:,} バイトです。",
        _DAMAGED,
    ),
    "st_gap": (
        "{path}: {tensor} は {begin:,} から始まっていますが、次は {expected:,} のはずです。テンソルが重なっているか、隙間があります。",
        _DAMAGED,
    ),
    "st_trailing": ("{path} は最後のテンソルの後ろに {extra:,} バイト余っています。", _DAMAGED),
    "index_map": (
        "{path} には、各テンソルがどのファイルにあるかを示す weight_map がありません。",
        "分割モデルのインデックスではないか、壊れています。ダウンロードし直してください。",
    ),
    "index_missing": (
        "{path} には {shard} などの分割ファイルがありますが、*.index.json がありません。",
        "インデックスもダウンロードしてください。",
    ),
    "too_many_shards": (
        "{path} には {count:,} 個もの分割ファイルが書かれています。",
        "インデックスと分割ファイルを入手元から取り直してください。",
    ),
    "pickled_shard": "分割ファイル {name} は pickle です。ほかのプログラムではコードが実行されるおそれがあります。",
    "shard_missing": (
        "{path}: 分割ファイル {shard} がありません（全 {total} 個のうち {missing} 個が不足）。",
        "不足している分割ファイルを同じフォルダーにダウンロードしてください。",
    ),
    "shard_lacks": (
        "{path}: インデックスでは {shard} にあるはずの {tensor} がありません（全部で {count} 個）。",
        "インデックスと分割ファイルのモデルかバージョンが食い違っています。両方ともダウンロードし直してください。",
    ),
    "shard_extra": (
        "{path}: {shard} に、インデックスにない {tensor} があります（全部で {count} 個）。",
        "インデックスと分割ファイルのモデルかバージョンが食い違っています。両方ともダウンロードし直してください。",
    ),
    "folder_no_weights": (
        "フォルダー {path} には重みがなく、diffusers モデルとしてそろっていません。",
        "model_index.json と各コンポーネントが入ったフォルダー、またはモデルファイルを 1 つ指定してください。",
    ),
    "folder_absent": "model_index.json にあるコンポーネント {component} が見つかりません。",
    "folder_choice": "{component}: {taken} を読み込みました。読み込まなかったもの: {others}。",
    "folder_pickle": "{component}: 重みが pickle（{taken}）に入っています。kanna は実行せずに読み込みますが、ほかのプログラムもそうとは限りません。",
    "folder_code": "フォルダーにプログラムコード（{names}）があります。kanna がこれを実行することはありません。",
    "gguf_version": (
        "{path} は GGUF のバージョン {version} です。読み込めるのはリトルエンディアンの 2 と 3 です。",
        "作成したプログラムで変換してください。",
    ),
    "gguf_cut": (
        "{path}: GGUF ヘッダーは {offset:,} バイト目から {need:,} バイトを必要としていますが、そこまでありません。",
        _GGUF_DAMAGED,
    ),
    "gguf_count": ("{path}: GGUF ヘッダーの項目数が {count:,} と記されています。", _GGUF_DAMAGED),
    "gguf_text": ("{path}: GGUF ヘッダーに UTF-8 でない文字列があります。", _GGUF_DAMAGED),
    "gguf_bool": ("{path}: GGUF ヘッダーに値が {value} の真偽値があります。", _GGUF_DAMAGED),
    "gguf_value_type": ("{path}: GGUF ヘッダーに未知の型 {type} の値があります。", _GGUF_DAMAGED),
    "gguf_alignment": (
        "{path}: {value} はテンソルのアラインメントとして使えません。",
        _GGUF_DAMAGED,
    ),
    "gguf_rank": (
        "{path}: {tensor} は {rank:,} 次元です。GGUF は 5 次元までです。",
        _GGUF_DAMAGED,
    ),
    "gguf_type": (
        "{path}: {tensor} のテンソル型 {type} は kanna の知らないものです。",
        "壊れているか、この kanna より新しい形式です。",
    ),
    "gguf_shape": ("{path}: {tensor} の形状が {shape} になることはありえません。", _GGUF_DAMAGED),
    "gguf_offset": (
        "{path}: {tensor} の開始位置 {offset:,} が、別のテンソルの中か、アラインメントからずれた所にあります。",
        _GGUF_DAMAGED,
    ),
    "gguf_extra": (
        "この GGUF 型の数値を読むには gguf パッケージが必要ですが、インストールされていません。",
        "pip install 'kanna[gguf]' を実行してください。",
    ),
    "gguf_quantised": "GGUF の {type} 型で保存されており、復元する手段がありません",
}
