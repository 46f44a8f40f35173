"""`kanna yaml`: the config beside a model."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str | tuple[str, str]]] = {
    "short": "モデルに必要な設定ファイルを書きます。",
    "help": "A1111 と Forge がモデルの隣で読む設定ファイル（.yaml）を、各 FILE と同じ名前で書きます。SD 2、"
    "v-prediction、inpainting、depth、unCLIP、refiner などが対象です。\n\n予測方式（epsilon か v）は、マーカー"
    "テンソル、メタデータ、既知のハッシュ、ファイル内のわずかな数値から判断し、どのくらい確かかも示します。"
    "--marker を付けると、答えを中に持つモデルの複製を作ります。ComfyUI と Forge はそれを読みます。",
    "examples": "例:\n\n  kanna yaml model.safetensors\n\n"
    "  kanna yaml model.safetensors --prediction v\n\n"
    "  kanna yaml model.safetensors --marker --ztsnr -o model-v.safetensors",
    "option_prediction": "モデルの予測方式（自分でわかっている場合）。",
    "option_marker": "代わりに、マーカー v_pred を中に入れたモデルの複製を作ります。",
    "option_ztsnr": "--marker とともに: zero terminal SNR で学習されたモデルです。",
    "option_output": "--marker とともに: 出力ファイル。フォルダーを指定すると名前は自動で付きます。",
    "option_show": "設定を表示するだけで、何も書きません。",
    "written": "{path} を書きました（{name}）。",
    "planned": "何も書いていません。実行すると {path} ができます（{name}）。",
    "there": "{path} はすでにあり、内容も合っています（{name}）。",
    "known_by": "{certainty}",
    "guessed": "今の A1111 は設定がなくても判別できます。古い版やほかのプログラムには必要です。",
    "why_told": "指定された値です。",
    "folder": ("{path} はフォルダーです。", "モデルのファイルそのものを指定してください。"),
    "no_config": (
        "{path} は、A1111 や Forge が設定ファイルを読む種類のモデルではありません。",
        "何も書く必要はありません。何のファイルかは `kanna inspect` でわかります。",
    ),
    "no_prediction": (
        "{path} の予測方式がわかるものが、ファイルの中にありません。",
        "--prediction で指定してください（{words}）。",
    ),
    "no_such_prediction": (
        "{path} に合う、予測方式 {prediction} の設定はありません。",
        "指定できるのは {words} です。",
    ),
    "no_marker": (
        "{path} の予測方式は {prediction} で、それを示すマーカーはありません。",
        "マーカーがなければ、プログラムはその種類のモデルとして普通の方式で扱います。",
    ),
    "differs": (
        "{path} はすでにありますが、{name} に必要な内容と違います（{keys}）。",
        "中身を確かめてください。--force で置き換えます。",
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
