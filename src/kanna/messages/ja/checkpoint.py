"""About checkpoints: zip, legacy and tar files of torch, and the pickles inside them."""

from __future__ import annotations

from typing import Final

_AGAIN: Final = (
    "ファイルが壊れているか、書き換えられています。もう一度ダウンロードまたはコピーしてください。"
)
_MADE: Final = "torch.save はこのようなファイルを書きません。ほかのツールで読み込まず、別の入手先を探してください。"

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    # pickles
    "pickle_truncated": ("{path} の pickle が途中で終わっています。", _AGAIN),
    "pickle_budget": ("{path} の pickle は、モデルに必要な大きさをはるかに超えています。", _MADE),
    "pickle_duplicate": ("{path} の辞書に同じキーが 2 つあります。", _MADE),
    "pickle_frame": ("{path} の pickle のフレームが中身と合いません。", _MADE),
    "pickle_opcode": ("{path} の pickle に、モデルには不要な命令が含まれています。", _MADE),
    "pickle_stack": ("{path} の pickle の命令がかみ合っていません。", _MADE),
    "pickle_target": (
        "{path} の pickle が、オブジェクトでないものを変更または呼び出そうとしています。",
        _MADE,
    ),
    "pickle_value": ("{path} の pickle に、ありえない値が含まれています。", _MADE),
    # zip
    "zip_truncated": (
        "{path} は末尾のない zip ファイルです。ダウンロードかコピーが {size:,} バイトで止まっています。",
        "もう一度ダウンロードまたはコピーしてください。",
    ),
    "zip_broken": ("zip ファイル {path} のセントラルディレクトリに矛盾があります。", _AGAIN),
    "zip_disagrees": (
        "{path} の中の {member} が zip のセントラルディレクトリと一致しません。",
        _AGAIN,
    ),
    "zip_method": (
        "{path} は暗号化された zip か、torch が使わない方式で圧縮された zip です。",
        "圧縮に使ったソフトで展開してください。",
    ),
    "zip_overlap": ("{path} の中のファイルが重なり合っているか、範囲の外にあります。", _AGAIN),
    "zip_bomb": ("{path} を展開すると、モデルではありえない大きさになります。", _MADE),
    "zip_roots": ("{path} の中身が 1 つのフォルダーに収まっていません。", _MADE),
    "zip_doubled": ("{path} の中に {member} という名前のファイルが 2 つあります。", _MADE),
    "zip_other": (
        "{path} は zip ファイルですが、チェックポイントではありません（中身: {member}）。",
        "中にモデルがある場合は、展開してからそのファイルを開いてください。",
    ),
    "torchscript": (
        "{path} は TorchScript（重み付きのプログラム）で、チェックポイントではありません。",
        "チェックポイントまたは safetensors 形式のモデルを入手してください。",
    ),
    "byteorder": ("{path} のバイト順がわかりません。", _AGAIN),
    "deflate_broken": ("{path} の圧縮された部分が壊れています。", _AGAIN),
    # legacy and tar
    "not_torch": (
        "{path} は torch.save で書かれたものではない pickle です。",
        "読めるのは torch のチェックポイントだけです。ほかのツールで読み込まないでください。",
    ),
    "legacy_version": ("{path} には、torch の未知のバージョンが記録されています。", _MADE),
    "legacy_storage": ("{path} のデータの指定が torch の書き方と違います。", _MADE),
    "legacy_keys": ("{path} のデータの一覧が中身と合いません。", _MADE),
    "legacy_count": ("{path} のデータの長さが、記録された値と違います。", _AGAIN),
    "legacy_size": ("{path} の大きさが、記録された値と {missing:,} バイト違います。", _AGAIN),
    "tar_broken": (
        "{path} は tar ファイルですが、古い torch のチェックポイントとして完全ではありません。",
        _AGAIN,
    ),
    # tensors
    "tensor_lie": ("{path} のテンソル {name} の形状や位置の記述に矛盾があります。", _AGAIN),
    "expands": (
        "{path} のテンソル {name} は、実際のデータよりはるかに大きい形状になっています。",
        _MADE,
    ),
    "endless": ("{path} の中身が際限なく入れ子になっています。", _MADE),
    "name_type": ("{path} に、文字列でも数でもない名前のテンソルがあります。", _MADE),
    "name_doubled": ("{path} の 2 つのテンソルが同じ名前 {name} になります。", _MADE),
    "only_code": (
        "{path} はコードの実行を求めており（{names}）、読めるテンソルがありません。",
        "このファイルをほかのツールで読み込まないでください。",
    ),
    # tensors that are understood and cannot be converted
    "refused_sparse": "{name} は疎テンソルです。",
    "refused_nested": "{name} は入れ子のテンソルです。",
    "refused_quantized": "{name} は torch で量子化されたテンソルです。",
    "refused_device": "{name} は別のデバイスの形式で保存されています。",
    "refused_meta": "{name} は形状だけでデータがありません。",
    "refused_subclass": "{name} は独自のクラスのテンソルで、値が変わるおそれがあります。",
    "refused_dtype": "{name} の数値型は safetensors では扱えません。",
    "refused_flags": "{name} は共役または符号反転の状態で保存されています。",
    "refused_reserved": "{name} は safetensors が予約している名前です。",
    "refused_surrogate": "{name} は UTF-8 で書けない名前です。",
    # notes
    "unknown_globals": "モデルに不要なものを {count} 個要求しています: {names}。pickle として読み込むソフトでは実行されるおそれがあります。kanna は実行せず、出力にも含めません。",
    "extra_tensors": "{key} に、モデル本体とは別のテンソルが {count:,} 個（{nbytes:,} バイト）あります。",
    "extras_cut": "モデル以外の内容が大きすぎるか深すぎるため、すべては表示できません。",
    "extra_members": "checkpoint の一部ではないファイルが {count:,} 個あります（{member} など）。",
    "trailing_bytes": "zip ファイルの終わりの後に {count:,} バイトあります。",
    "after_stop": "pickle の終わりの後に {count:,} バイトあります。",
    "crc_differs": "pickle のチェックサムが合いません。",
    "legacy_big_endian": "ビッグエンディアンで書かれたとありますが、torch のデータは常にリトルエンディアンです。",
}
