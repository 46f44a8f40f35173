"""`kanna hash`, sidecars and imported caches."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "ファイルのハッシュをすべて一度に計算します。",
    "help": "各 FILE のハッシュを 1 回の読み込みですべて計算します。SHA-256、AutoV1（8 桁）、AutoV2（10 桁）、"
    "AutoV3（12 桁、safetensors のデータ部分）、sd_infotext_ex の 16 桁、CRC32、BLAKE3 です。公開されている"
    "モデルなら名前も表示します。\n\n結果はキャッシュに残るので、2 回目は計算しません（場所は KANNA_CACHE で"
    "変えられます）。FILE と同じフォルダーに .sha256 ファイルがあれば照合し、違っていれば終了コード 1 で終わります。"
    "フォルダーを指定すると、その中のモデルファイルをすべて計算します。",
    "examples": "例:\n\n  kanna hash model.safetensors\n\n  kanna hash --write-sidecar "
    "*.safetensors\n\n  kanna hash -r models\n\n  kanna hash --check *.ckpt\n\n  kanna hash --import stable-diffusion-webui "
    "--models stable-diffusion-webui/models",
    "option_recursive": "フォルダーを指定したとき、その中のフォルダーのモデルも計算します。",
    "no_models": "フォルダー {path} には重みのファイルがありません。-r を付けると中のフォルダーも調べます。",
    "option_parts": "部品ごとのハッシュも計算し、同じ部品が入ったファイルを表示します。",
    "option_check": ".sha256 ファイルと照合します。キャッシュは使わず全体を読み直します。",
    "option_write_sidecar": "各 FILE と同じフォルダーに、sha256sum -c で読める .sha256 ファイルを書き出します。",
    "option_full": "URL のファイルも全体を読み込んで計算します（省略時は、配布元とヘッダーに書かれている値を表示します）。",
    "option_force": "内容が異なる .sha256 ファイルも置き換えます。",
    "option_dry_run": ".sha256 ファイルの書き出しも取り込みも行わず、結果だけを表示します。",
    "option_no_cache": "キャッシュを読み書きしません。",
    "option_threads": "計算に使うスレッド数（省略時はコア数、最大 4）。",
    "option_import": "A1111 や Forge が計算したハッシュを取り込みます。cache.json、cache フォルダー、"
    "UI のフォルダーを指定できます。",
    "option_models": "取り込むハッシュの対象となる models フォルダー。省略すると、キャッシュと同じ場所の"
    "「models」です。",
    "bar": "{count} ファイル",
    "row_told": "配布元とヘッダーに書かれている値です。計算したのは AutoV1 だけです（--full で全体を読み込みます）",
    "row_cached": "キャッシュから",
    "autov1_empty": "ファイルが 1 MiB 以下のため意味がありません",
    "row_known": "公開名",
    "row_weights": "重みが一致",
    "row_sidecar": ".sha256",
    "row_part": "部品",
    "sidecar_agrees": "一致",
    "sidecar_differs": "不一致（記録は {sha256}）",
    "sidecar_silent_row": "このファイルについての記録がありません",
    "sidecar_written": "書き出しました: {name}",
    "sidecar_planned": "書き出す予定: {name}",
    "check_ok": "{path}: .sha256 と一致しました",
    "check_differs": "{path}: .sha256 と一致しません",
    "same_as": "{names} と同じ",
    "same_as_none": "計算済みのほかのファイルには見つかりません",
    "no_parts": "比較できる部品がありません",
    "import_taken": "{count} 件のハッシュを取り込みました。",
    "import_planned": "{count} 件のハッシュを取り込む予定です。",
    "import_line": "{count} 件を除外: {reason}",
    "fate_no_hash": "ハッシュが保存されていません",
    "fate_shared_vae": "すべての VAE が 1 つの項目を共有しているため、どの VAE のものかわかりません",
    "fate_name_hash": "ファイルではなく名前のハッシュです（古い Forge）",
    "fate_no_file": "該当するファイルがありません（保存されなかったマージの可能性もあります）",
    "fate_several_files": "同じ名前のファイルが複数あります",
    "fate_stale": "その後ファイルが変更されています",
    "fate_contradicts": "サイズの異なるファイルに同じハッシュが保存されています",
    "nothing_to_do": (
        "ハッシュを計算するファイルがありません。",
        "ファイルを指定するか、--import でキャッシュを取り込んでください。",
    ),
    "threads": (
        "--threads には 1 以上の数を指定してください。",
        "省略するとコア数（最大 4）になります。",
    ),
    "changed": (
        "{path} は読み込み中に変更されました。",
        "書き込んでいるプログラムの終了を待って、もう一度実行してください。",
    ),
    "bad_sidecar": (
        "{path} に SHA-256 が書かれていません。",
        "内容を確認してください。--write-sidecar --force で置き換えられます。",
    ),
    "remote_needs_full": (
        "{path} はこのマシン上にないため、重みは読み込まれません。",
        "全体を読み込むには --full を付けてください。.sha256 ファイルを書けるのは、このマシン上のファイルだけです。",
    ),
    "no_sidecar": (
        "{path} と同じフォルダーに .sha256 ファイルがありません。",
        "--write-sidecar で現在の内容から作れます。",
    ),
    "sidecar_silent": (
        "{path} に {name} の記録がありません。",
        "--write-sidecar --force で置き換えられます。",
    ),
    "sidecar_exists": (
        "{path} はすでにあり、内容が異なります。",
        "モデルを意図して変更したのであれば --force を付けてください。",
    ),
    "no_webui_cache": (
        "{path} に A1111 のキャッシュがありません。",
        "cache.json、cache フォルダー、または UI のフォルダーを指定してください。",
    ),
    "bad_webui_cache": (
        "{path} をキャッシュとして読めません: {reason}。",
        "UI を終了してからもう一度実行してください。",
    ),
}
