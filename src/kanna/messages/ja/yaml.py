"""`kanna yaml`: the config beside a model."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルに必要な設定ファイルを書き出します。",
    "help": "A1111 と Forge が読む設定ファイル（.yaml）を、各 FILE と同じフォルダーに同じ名前で書き出します。SD 2、"
    "v-prediction、インペイント、depth、unCLIP、refiner などが対象です。\n\n予測方式（epsilon か v）は、マーカー"
    "テンソル、メタデータ、既知のハッシュ、ファイル内のわずかな数値から判断し、どのくらい確かかも示します。"
    "--marker を付けると、マーカーを入れたモデルの複製を作ります。ComfyUI と Forge はマーカーを読みます。",
    "examples": "例:\n\n  kanna yaml model.safetensors\n\n"
    "  kanna yaml model.safetensors --prediction v\n\n"
    "  kanna yaml model.safetensors --prediction v --marker --ztsnr -o model-v.safetensors",
    "option_prediction": "モデルの予測方式（わかっている場合に指定します）。",
    "option_marker": "設定ファイルの代わりに、マーカー v_pred を入れたモデルの複製を作ります。",
    "option_ztsnr": "Zero Terminal SNR で学習されたモデルに指定します（--marker と併用）。",
    "option_output": "出力ファイル（--marker と併用）。フォルダーを指定すると名前は自動で付きます。",
    "option_show": "設定ファイルの内容を表示するだけで、何も書き込みません。",
    "written": "{path} を書き出しました（{name}）。",
    "planned": "何も書き込んでいません。実行すると {path} を書き出します（{name}）。",
    "there": "{path} はすでにあり、内容も合っています（{name}）。",
    "known_by": "{certainty}",
    "guessed": "現在の A1111 は設定ファイルがなくても判別できます。古いバージョンやほかのプログラムでは必要です。",
    "why_told": "指定された値です。",
    "folder": ("{path} はフォルダーです。", "モデルのファイルそのものを指定してください。"),
    "no_config": (
        "{path} は、A1111 や Forge が設定ファイルを読む種類のモデルではありません。",
        "何も書き出す必要はありません。何のファイルかは `kanna inspect` でわかります。",
    ),
    "no_prediction": (
        "{path} には、予測方式を判断できる情報がありません。",
        "--prediction で指定してください（{words}）。",
    ),
    "no_such_prediction": (
        "{path} に合う、予測方式 {prediction} の設定ファイルはありません。",
        "指定できるのは {words} です。",
    ),
    "no_marker": (
        "{path} の予測方式は {prediction} で、それを示すマーカーはありません。",
        "マーカーのないモデルは、その種類で一般的な方式として扱われます。",
    ),
    "no_ztsnr": (
        "{path} のようなモデルで、zero terminal SNR のマーカーを読むプログラムはありません。",
        "--ztsnr を付けずに実行してください。",
    ),
    "differs": (
        "{path} はすでにありますが、{name} に必要な内容と違います（{keys}）。",
        "内容を確認してください。--force で置き換えられます。",
    ),
    "only_with_marker": (
        "-o と --ztsnr は --marker なしでは使えません。",
        "--marker を付けてください。",
    ),
    "one_output": (
        "複数のモデルを 1 つの出力ファイルにはできません。",
        "フォルダーを指定してください: -o folder/",
    ),
}
