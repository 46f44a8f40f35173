"""`kanna watch`: an inbox of models."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "フォルダーに届いたモデルを調べ、変換し、整理します。",
    "help": "INBOX に届いたモデルを取り込みます。安全性を調べ、種類を判定し、プリセットが指定されていれば変換して、付属ファイルと一緒に種類ごとのフォルダーに入れます。危険なもの、壊れたもの、種類のわからないものは、レポートを付けて INBOX/failed に移します。ダウンロード中のファイルは、終わるまで待ちます。Ctrl-C で終了します。再起動や停電の後は、途中から再開します。\n\n--to がなければ、ライブラリに登録された種類ごとのフォルダーに入れます。変換したファイルの元のファイルは、INBOX/originals に残すか、ごみ箱に入れます。",
    "examples": "例:\n\n  kanna watch ~/inbox --to ~/ComfyUI --for generation\n\n  kanna watch ~/inbox --rules rules.toml --originals trash\n\n  kanna watch ~/inbox --to ~/models --once --dry-run",
    "option_to": "モデルを入れるフォルダー（UI のフォルダーでも、ほかのフォルダーでも可）。",
    "option_layout": "どの UI のフォルダー構成に従うか。省略すると、すでにあるフォルダーから判断します。",
    "option_for": "チェックポイントと拡散モデルを kanna convert のこのプリセットで変換します。",
    "option_rules": "--for の代わりに、種類ごとの処理を TOML ファイルで指定します。",
    "option_originals": "変換した元のファイルを INBOX/originals に残すか（keep）、ごみ箱に入れるか（trash）。",
    "option_allow_suspicious": "不審なファイルも取り込みます。危険なファイルは取り込みません。",
    "option_rest": "変化がなくなってから処理を始めるまでの秒数。",
    "option_patience": "途中で切れているファイルを失敗と見なすまで待つ秒数。",
    "option_once": "今あるファイルだけを取り込んで終了します。",
    "waiting": "{path} を監視しています。Ctrl-C で終了します。",
    "state_converted": "変換しました: {path}",
    "state_put_away": "移動しました: {path}",
    "state_planned": "出力先: {path}",
    "state_aside": "取り込めないため、移動しました: {path}",
    "state_left": "移動できないため、そのまま残しました: {path}",
    "state_refused": "取り込めません。移動先: {path}",
    "state_arriving": "まだすべて届いていないため、そのままにします。",
    "original": "元のファイル: {path}",
    "report_head": "{name} は取り込めませんでした（{when}）。",
    "suspicious": (
        "{path} は不審なファイルです: {reason}",
        "kanna scan で確かめてください。それでも取り込む場合は --allow-suspicious を付けます。",
    ),
    "dangerous": (
        "{path} は危険です: {reason}",
        "削除するか、kanna scan で確かめてください。kanna がこのファイルのコードを実行することはありません。",
    ),
    "unknown": (
        "{path} の種類がわかりません。",
        "手動で適切なフォルダーに移すか、--rules で unknown のフォルダーを指定してください。",
    ),
    "no_folder": (
        "{program} には種類 {kind} 用のフォルダーがないため、{path} には入れられません。",
        "--rules でこの種類のフォルダーを指定してください。",
    ),
    "no_root": (
        "ライブラリに、種類 {kind} 用のフォルダーがありません。",
        "--to でフォルダーを指定するか、--rules でこの種類のフォルダーを指定してください。",
    ),
    "no_inbox": (
        "{path} は監視できるフォルダーではありません（{reason}）。",
        "先にフォルダーを作成するか、別のフォルダーを指定してください。",
    ),
    "no_target": (
        "{path} に届いたモデルの移動先が決まっていません。",
        "--to でフォルダーを指定するか、--rules でフォルダーを指定するか、kanna library add フォルダー でライブラリを作成してください。",
    ),
    "held": (
        "{path} は別の kanna がすでに監視しています。",
        "先にそちらを終了するか、別のフォルダーを指定してください。",
    ),
    "inside": (
        "{folder} は監視するフォルダー {path} の中にあるため、入れたものがまた取り込まれてしまいます。",
        "監視するフォルダーの外にあるフォルダーを指定してください。",
    ),
    "for_and_rules": (
        "--for と --rules が両方指定されています。",
        'プリセットはルールに書いてください（for = "generation"）。',
    ),
    "rules_no_toml": (
        "ルールのファイル {path} は TOML として読めません: {reason}",
        'ファイルを修正してください。[lora] や [any] などのセクションに、folder = "loras" のような行を書きます。',
    ),
    "rules_kind": (
        "{path} にある「{kind}」は、モデルの種類ではありません。",
        "次のいずれか、または [any] を使ってください: {kinds}",
    ),
    "rules_key": (
        "{path} の {kind} のルールにあるキー {name} には意味がありません。",
        "使えるキー: {keys}",
    ),
    "rules_value": (
        "{path} の {kind} のルールで {name} = {value} となっています。",
        "次のいずれかにしてください: {wanted}",
    ),
}
