"""About moving, copying, renaming and removing models with their companions."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "option_dry_run": "何をするかだけを表示し、実行しません。",
    "option_to": "移動先のフォルダー。active または backup を指定すると、ライブラリに登録したその役割のフォルダーの同じ場所になります。",
    "option_on_conflict": "移動先に別のものがあるとき: refuse は全体を中止（既定）、skip はそのモデルを飛ばす、rename は新しい名前（NAME-2）を付けます。",
    "why_shared": "同じ名前の別のモデルが残るため、コピーします",
    "why_shared_left": "同じ名前の別のモデルが残るため、残します",
    "why_there": "同じものがすでにあります",
    "why_replaced": "中のファイル名も書き換えます",
    "why_changed": "変更されているため、残します",
    "plan_files": "{count} ファイル、{size}",
    "plan_copied": "うち {size} を新しく書き込み、検証が終わってから元のファイルを消します",
    "skipped": "飛ばしました: {reason}",
    "done_move": "移動しました（{number} 番）",
    "done_copy": "コピーし、検証しました（{number} 番）",
    "done_rename": "名前を変えました（{number} 番）",
    "done_delete": "削除しました（{number} 番）",
    "done_trash": "ごみ箱に入れました（{number} 番）",
    "done_undo": "元の場所に戻しました（{number} 番）",
    "nothing_done": "何も実行していません。",
    "refused_all": "実行できないものがあるため、何も実行していません。",
    "can_undo": "`kanna library undo {number}` で元に戻せます。",
    "not_followed": "ライブラリに反映できませんでした。次の操作か kanna library scan で反映されます。",
    "settled_finished": "中断されていた {number} 番（{verb}）を最後まで実行しました: {path}",
    "settled_taken_back": "中断されていた {number} 番（{verb}）を元の状態に戻しました: {path}",
    "shard_missing": "分割ファイル {name} が見つかりません。残りのファイルだけを処理します。",
    "vae_of": "{name} は {owner} の VAE ですが、{owner} は残ります。",
    "not_there": "{path} が置いたものと異なるため、元の場所のファイルは残しました。",
    "left_behind": "{path} を消せませんでした（{reason}）。新しい場所にも同じものがあります。",
    "left_changed": "{path} は途中で変更されたため残しました。変更前のものは新しい場所にあります。",
    "interrupted_after": (
        "{path} と付属ファイルの処理を終えたところで中止しました。",
        "実行した内容は kanna library undo --list で確認できます。ほかのモデルは元の場所にあります。",
    ),
    "remote": (
        "{path} はこのマシン上にありません。",
        "ディスク上のファイルかフォルダーを指定してください。",
    ),
    "rename_one": (
        "名前を変えられるモデルは一度に 1 つです。",
        "FILE を 1 つだけ指定してください。",
    ),
    "bad_stem": (
        "「{stem}」は、環境によってはファイル名に使えません。",
        'フォルダーと拡張子を付けず、< > : " / \\ | ? *、末尾のドットや空白、con のような Windows のデバイス名を避けてください。',
    ),
    "same_name": (
        "{path} の名前はすでに {stem} です。",
        "別の名前を指定してください。",
    ),
    "same_place": (
        "{path} はすでに {folder} にあります。",
        "別のフォルダーを指定してください。",
    ),
    "into_itself": (
        "{path} を自分自身の中（{folder}）には移せません。",
        "別のフォルダーを指定してください。",
    ),
    "long_name": (
        "{path} の名前は、そのディスクには長すぎます。",
        "短い名前を指定してください。",
    ),
    "protected": (
        "{path} は書き込み禁止のため、削除しません。",
        "書き込み禁止を解除するか、ごみ箱に入れてください。",
    ),
    "leads_out": (
        "{path} には外を指すリンク（{name}）があり、移動するとリンク先が見つからなくなります。",
        "kanna library copy でコピーしてください。コピーにはファイルそのものが入ります。",
    ),
    "link_to_folder": (
        "{path} はフォルダー {target} へのリンクです。",
        "そのフォルダーを指定してください。リンクは移動できますが、コピーはできません。",
    ),
    "no_model_folder": (
        "{path} は diffusers モデルのフォルダーではありません。",
        "中のファイルを指定してください: {path}/*",
    ),
    "twice": (
        "{path} が二重に作られます（{source} からも）。",
        "1 つずつ移動するか、--on-conflict rename で新しい名前を付けてください。",
    ),
    "exists": (
        "{path} はすでに存在し、{source} とは内容が異なります。",
        "両方を確認してください。--on-conflict skip はそのモデルを飛ばし、--on-conflict rename は新しい名前を付けます。",
    ),
    "changed": (
        "{path} は計画した後に変更されたため、何もしていません。",
        "ほかの書き込みが終わるのを待ってから、もう一度実行してください。",
    ),
    "changed_since": (
        "{path} は、そこに置いた後に変更されています。",
        "手作業か kanna library move で戻してください。",
    ),
    "in_trash": (
        "{path} はすでにごみ箱にあります。",
        "完全に消すには kanna library delete を使ってください。",
    ),
    "trash_full": (
        "ごみ箱 {path} に空いている名前がありません。",
        "ごみ箱を空にしてください。",
    ),
    "nothing_to_undo": (
        "元に戻せる操作はありません。",
        "実行した内容は kanna library undo --list で確認できます。",
    ),
    "cannot_undo": (
        "{number} 番（{verb}）は元に戻せません。",
        "戻せるのは移動、名前の変更、ごみ箱です。コピーは kanna library delete で削除してください。",
    ),
    "undone": (
        "{number} 番はすでに元に戻されています。",
        "残りは kanna library undo --list で確認できます。",
    ),
    "no_such_filing": (
        "{number} 番の操作はありません。",
        "kanna library undo --list で一覧を確認できます。",
    ),
    "no_roles": (
        "ライブラリに {role} のフォルダーがありません。",
        "kanna library add フォルダー --role {role} で登録するか、フォルダーを指定してください: ./{role}",
    ),
    "no_root": (
        "{path} は、{role} へ移せるライブラリのフォルダーの中にありません。",
        "そのフォルダーをライブラリに登録するか、--to でフォルダーを指定してください。",
    ),
    "no_place": (
        "{role} のフォルダーに {path} の置き場所がありません。",
        "--to でフォルダーを指定してください。",
    ),
    "several_places": (
        "{path} の移動先になる {role} のフォルダーが複数あります: {places}。",
        "--to でどれか 1 つを指定してください。",
    ),
}
