"""Files behind URLs: few bytes are moved, what is made of them is the same, failures are told."""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from containers import safetensors_bytes, small
from kanna import api
from kanna.cli import run
from kanna.disk import as_path, hub, is_remote, open_input
from kanna.errors import FormatError, KannaError, MissingExtra, RemoteError, UsageError
from kanna.formats import open_model
from serving import Served, serving
from sparse import write_sparse

MEGABYTE = 1_000_000


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    folder = tmp_path / "served"
    folder.mkdir()
    monkeypatch.setenv("KANNA_RETRIES", "3")
    for name in ("HF_TOKEN", "HF_TOKEN_PATH", "http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "no-hub"))
    with serving(folder) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        yield served


def put(web: Served, name: str, data: bytes) -> Path:
    path = web.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# ---- few bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["flux1-dev-bf16", "sdxl-base-fp16"])
def test_looking_at_gigabytes_moves_less_than_a_megabyte(web: Served, header: str) -> None:
    local = write_sparse(web.folder / "m.safetensors", header)
    found = api.inspect(f"{web.url}/m.safetensors").identity
    wanted = api.inspect(local).identity
    assert web.sent < MEGABYTE
    assert found.to_json() | {"path": 0} == wanted.to_json() | {"path": 0}
    assert found.path == f"{web.url}/m.safetensors"

    web.sent = 0
    assert api.scan(f"{web.url}/m.safetensors").verdict == "clean"
    assert web.sent < MEGABYTE


def test_a_lora_is_not_read_here_and_there(web: Served) -> None:
    """Its alphas lie all over the file: an answer for each would take longer than the file."""
    local = write_sparse(web.folder / "m.safetensors", "lora-kohya-sd1-r128")
    found, wanted = api.inspect(f"{web.url}/m.safetensors").identity, api.inspect(local).identity
    assert web.sent < MEGABYTE
    assert (found.kind, found.architecture) == (wanted.kind, wanted.architecture)


def test_checking_says_the_same_as_of_the_file_itself(web: Served) -> None:
    local = write_sparse(web.folder / "m.safetensors", "sdxl-base-fp16")
    found = api.check(f"{web.url}/m.safetensors", purpose="generation")
    wanted = api.check(local, purpose="generation")
    assert web.sent < MEGABYTE
    assert [one.rule.code for one in found.findings] == [one.rule.code for one in wanted.findings]
    assert str(web.folder) not in " ".join(found.command)


def test_hashing_without_reading_says_what_is_known(web: Served) -> None:
    digits = "ab" * 32
    metadata = {"modelspec.hash_sha256": f"0x{digits}"}
    zeros = ("U8", (3 << 20,), bytes(3 << 20))
    local = put(web, "m.safetensors", safetensors_bytes({"w": zeros}, metadata))
    (wanted,) = api.hash_files([local])
    (found,) = api.hash_files([f"{web.url}/m.safetensors"])
    assert wanted.digests is not None
    assert found.digests is not None
    assert found.told
    assert web.sent < MEGABYTE
    assert found.digests.autov1 == wanted.digests.autov1
    assert (found.digests.sha256, found.digests.data_sha256) == (None, digits)


def test_hashing_in_full_reads_the_file(web: Served) -> None:
    data = small("w")
    put(web, "m.safetensors", data)
    (found,) = api.hash_files([f"{web.url}/m.safetensors"], api.HashOptions(full=True))
    assert found.digests is not None
    assert found.digests.sha256 == hashlib.sha256(data).hexdigest()
    (refused,) = api.hash_files(
        [f"{web.url}/m.safetensors"], api.HashOptions(full=True, write_sidecar=True)
    )
    assert isinstance(refused.error, UsageError)


def test_the_hub_tells_the_digest_of_a_large_file(web: Served) -> None:
    data = small("w")
    digits = hashlib.sha256(data).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digits}\nsize {len(data)}\n"
    put(web, "o/r/resolve/main/m.safetensors", data)
    put(web, "o/r/raw/main/m.safetensors", pointer.encode())
    (found,) = api.hash_files(["hf://o/r/m.safetensors"])
    assert found.digests is not None
    assert found.digests.sha256 == digits

    put(web, "o/r/raw/main/m.safetensors", pointer.replace("size ", "size 9").encode())
    (found,) = api.hash_files(["hf://o/r/m.safetensors"])
    assert found.digests is not None
    assert found.digests.sha256 is None  # a pointer to something else


# ---- the same results ------------------------------------------------------------------------


def test_converting_gives_the_same_bytes_as_from_the_file(web: Served, tmp_path: Path) -> None:
    data = small("a", "b", "c")
    local = put(web, "m.safetensors", data)
    options = api.ConvertOptions(dtype="fp16")
    run_options = api.RunOptions(verify="full")
    one = api.convert(local, tmp_path / "1.safetensors", options, run_options=run_options)
    two = api.convert(
        f"{web.url}/m.safetensors", tmp_path / "2.safetensors", options, run_options=run_options
    )
    assert one.destination.read_bytes() == two.destination.read_bytes()


def test_an_output_without_a_name_lands_in_the_working_folder(
    web: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(web, "m.safetensors", small("a"))
    monkeypatch.chdir(tmp_path)
    made = api.convert(
        f"{web.url}/m.safetensors?key=secret", None, api.ConvertOptions(dtype="fp16")
    )
    assert made.destination.resolve().parent == tmp_path
    assert "secret" not in made.destination.name
    assert b"secret" not in made.destination.read_bytes()


def test_every_tensor_of_a_remote_file_reads_as_at_home(web: Served) -> None:
    local = put(web, "m.safetensors", small("a", "b"))
    with open_model(local) as home, open_model(f"{web.url}/m.safetensors") as away:
        assert {n: t.read() for n, t in away.items()} == {n: t.read() for n, t in home.items()}


def test_large_and_small_reads_agree_at_every_border(web: Served) -> None:
    data = bytes(range(256)) * 9000  # more than two large reads
    put(web, "x.bin", data)
    file = open_input(f"{web.url}/x.bin")
    for start, length in (
        (0, 1),
        (65_535, 2),
        (65_536, 65_536),
        (1, 1 << 20),
        (2_000_000, 304_000),
    ):
        assert file.read(start, length) == data[start : start + length]
    with pytest.raises(FormatError):
        file.read(len(data) - 1, 2)


def test_shards_behind_an_index_are_found_beside_it(web: Served) -> None:
    put(web, "m-00001-of-00002.safetensors", small("a"))
    put(web, "m-00002-of-00002.safetensors", small("b"))
    shards = {"a": "m-00001-of-00002.safetensors", "b": "m-00002-of-00002.safetensors"}
    put(
        web, "m.safetensors.index.json", json.dumps({"metadata": {}, "weight_map": shards}).encode()
    )
    with open_model(f"{web.url}/m.safetensors.index.json") as model:
        assert list(model) == ["a", "b"]
    shards["b"] = "../m-00002-of-00002.safetensors"
    put(
        web, "m.safetensors.index.json", json.dumps({"metadata": {}, "weight_map": shards}).encode()
    )
    with pytest.raises(KannaError, match="leads out"):
        open_model(f"{web.url}/m.safetensors.index.json")


# ---- servers that fail ------------------------------------------------------------------------


def test_a_server_that_fails_for_a_moment_is_asked_again(web: Served) -> None:
    put(web, "m.safetensors", small("a"))
    web.failing = 2
    assert api.inspect(f"{web.url}/m.safetensors").identity.container == "safetensors"


@pytest.mark.parametrize(
    ("status", "key"),
    [(503, "remote.failed"), (401, "remote.denied"), (403, "remote.denied"),
     (404, "remote.not_found")],
)  # fmt: skip
def test_what_a_server_refuses_is_told(
    web: Served, monkeypatch: pytest.MonkeyPatch, status: int, key: str
) -> None:
    monkeypatch.setenv("KANNA_RETRIES", "0")
    web.failing, web.status = 99, status
    with pytest.raises(RemoteError) as told:
        open_model(f"{web.url}/m.safetensors?key=secret")
    assert told.value.key == key
    assert "secret" not in str(told.value)
    assert "retry_timeout" not in str(told.value)
    assert key != "remote.failed" or "503 Service Unavailable." in str(told.value)


def test_a_server_that_knows_no_ranges_is_told(web: Served) -> None:
    put(web, "m.safetensors", small("a") + bytes(100))
    web.whole = True
    with pytest.raises(RemoteError) as told:
        open_model(f"{web.url}/m.safetensors")
    assert told.value.key == "remote.no_ranges"


def test_a_server_that_nobody_answers_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_RETRIES", "0")
    with pytest.raises(RemoteError) as told:
        open_model("http://127.0.0.1:9/m.safetensors")
    assert told.value.key == "remote.failed"
    assert told.value.exit_code == 17
    assert "Connection refused" in str(told.value)
    assert "retry_timeout" not in str(told.value)


def test_a_file_that_is_replaced_meanwhile_is_noticed(web: Served) -> None:
    put(web, "x.bin", bytes(300_000))
    file = open_input(f"{web.url}/x.bin")
    assert file.unchanged()
    web.tag = '"2"'
    with pytest.raises(FormatError):
        file.read(200_000, 10)
    assert not file.unchanged()


def test_half_an_answer_is_no_answer(web: Served) -> None:
    put(web, "x.bin", bytes(300_000))
    file = open_input(f"{web.url}/x.bin")
    web.short = True
    with pytest.raises((RemoteError, FormatError)):
        file.read(200_000, 10)


def test_an_empty_file_is_no_model(web: Served) -> None:
    put(web, "m.safetensors", b"")
    with pytest.raises(FormatError):
        open_model(f"{web.url}/m.safetensors")


def test_a_web_page_is_called_one(web: Served) -> None:
    put(web, "m.safetensors", b"<!DOCTYPE html><html>sign in</html>")
    with pytest.raises(FormatError, match="web page"):
        open_model(f"{web.url}/m.safetensors")


def test_the_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtra, match="obstore"):
        open_model("https://example.org/m.safetensors")


# ---- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("hf://o/r/f.bin", "/o/r/resolve/main/f.bin"),
        ("hf://o/r@v1/a/f.bin", "/o/r/resolve/v1/a/f.bin"),
        ("hf://o/r@refs/pr/7/f.bin", "/o/r/resolve/refs%2Fpr%2F7/f.bin"),
        ("hf://datasets/o/r/f.bin", "/datasets/o/r/resolve/main/f.bin"),
        ("hf://o/r/f #1.bin", "/o/r/resolve/main/f %231.bin"),
        ("https://huggingface.co/o/r/blob/main/f.bin", "/o/r/resolve/main/f.bin"),
        ("https://huggingface.co/o/r/blob/main/f.bin?x=1", "/o/r/resolve/main/f.bin?x=1"),
    ],
)
def test_addresses_of_the_hub(address: str, wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    assert hub.resolved(address) == "https://huggingface.co" + wanted


@pytest.mark.parametrize("address", ["hf://o", "hf://o/r", "hf://o/r@main", "hf:///o/r/f"])
def test_an_address_of_no_file_is_a_mistake(address: str) -> None:
    with pytest.raises(UsageError):
        hub.resolved(address)


@pytest.mark.parametrize(
    "address",
    ["http://[::1/x", "http://exa mple/x", "http://127.0.0.1:99999/x", "http://127.0.0.1:p/x",
     "https:///x", "s3://bucket/", "http://127.0.0.1:9/\ud800", "s3://bucket/\ud800"],
)  # fmt: skip
def test_what_is_no_address_is_told(address: str) -> None:
    with pytest.raises(RemoteError) as caught:
        open_model(as_path(address))
    assert caught.value.key == "remote.no_file"


@pytest.mark.parametrize("name", ["m.safetensors", "my model.safetensors", "%41.safetensors"])
def test_no_refusal_shows_a_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_RETRIES", "0")
    with pytest.raises(RemoteError) as caught:
        open_model(f"http://me:secret@127.0.0.1:9/{name}?key=secret&b=very%20secret")
    assert "secret" not in str(caught.value)
    assert f"http://127.0.0.1:9/{name}" in str(caught.value)


def test_a_signed_redirection_is_not_shown(web: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANNA_RETRIES", "0")
    put(web, "m.safetensors", small("a"))
    web.redirects["/m.safetensors"] = "http://127.0.0.1:9/cdn?Signature=secret"
    with pytest.raises(RemoteError) as caught:
        open_model(f"{web.url}/m.safetensors")
    assert "secret" not in str(caught.value)


def test_other_addresses_stay_as_they_are() -> None:
    assert hub.resolved("https://example.org/a/blob/b") == "https://example.org/a/blob/b"


def test_the_token_goes_to_the_hub_and_nowhere_else(
    web: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    put(web, "o/r/resolve/main/m.safetensors", small("a"))
    open_model("hf://o/r/m.safetensors").close()
    assert web.requests[-1][1]["authorization"] == "Bearer hf_secret"

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "m.safetensors").write_bytes(small("a"))
    with serving(elsewhere) as cdn:
        other = cdn.url.replace("127.0.0.1", "localhost")
        web.redirects["/o/r/resolve/main/m.safetensors"] = f"{other}/m.safetensors"
        open_model("hf://o/r/m.safetensors").close()
        open_model(f"{cdn.url}/m.safetensors").close()
        assert cdn.requests
        assert not [1 for _, headers in cdn.requests if "authorization" in headers]


def test_the_token_that_logging_in_left_is_used(
    web: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "token").write_text("hf_from_file\n")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))
    put(web, "o/r/resolve/main/m.safetensors", small("a"))
    open_model("hf://o/r/m.safetensors").close()
    assert web.requests[-1][1]["authorization"] == "Bearer hf_from_file"


def test_names_with_spaces_and_japanese_are_found(web: Served) -> None:
    put(web, "モデル v1 +α.safetensors", small("a"))
    open_model(f"{web.url}/モデル v1 +α.safetensors").close()


def test_a_url_stays_one_after_pathlib() -> None:
    path = as_path("https://example.org/a/b.safetensors?key=x")
    assert all(map(is_remote, (path, Path(path), path.parent)))
    assert str(path) == str(as_path(Path(path))) == "https://example.org/a/b.safetensors"
    assert (path.name, path.suffix, path.stem) == ("b.safetensors", ".safetensors", "b")
    assert str(path.parent / "c") == "https://example.org/a/c"
    assert not any(map(is_remote, ("C:/models/a", "http:a", "./https:/a")))


def test_the_command_line_takes_urls_and_shows_no_keys(
    web: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    put(web, "m.safetensors", small("a"))
    assert run(["inspect", f"{web.url}/m.safetensors?key=secret"]) == 0
    assert run(["inspect", "--json", f"{web.url}/none?key=secret"]) == 17
    out = capsys.readouterr()
    assert f"{web.url}/m.safetensors" in out.out
    assert "secret" not in out.out + out.err


# ---- S3 ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import boto3  # type: ignore[import-untyped]
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        client = boto3.client(
            "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="id",
            aws_secret_access_key="key",
        )  # fmt: skip
        client.create_bucket(Bucket="models")
        yield url, client
        server.stop()


def test_files_in_a_bucket_are_read_by_ranges(
    s3: tuple[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, client = s3
    client.put_object(Bucket="models", Key="a b/m.safetensors", Body=small("a", "b"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    assert api.inspect("s3://models/a b/m.safetensors").identity.container == "safetensors"
    made = api.convert(
        "s3://models/a b/m.safetensors", tmp_path / "o.safetensors", api.ConvertOptions(),
    )  # fmt: skip
    with open_model(made.destination) as model:
        assert list(model) == ["a", "b"]
    with pytest.raises(RemoteError) as told:
        open_model("s3://models/none.safetensors")
    assert told.value.key == "remote.not_found"


def test_a_config_for_a_model_behind_a_url_goes_into_the_working_folder(
    web: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_sparse(web.folder / "m.safetensors", "sdxl-vpred-ztsnr-fp16")
    monkeypatch.chdir(tmp_path)
    made = api.configure(f"{web.url}/m.safetensors")
    assert (str(made.model), made.path) == (f"{web.url}/m.safetensors", Path("m.yaml"))
    assert (tmp_path / "m.yaml").is_file()
    assert str(api.fix(f"{web.url}/m.safetensors", dry_run=True).path) == str(made.model)


def test_metadata_behind_a_url_is_read_and_no_room_for_edits_is_promised(web: Served) -> None:
    local = put(web, "m.safetensors", safetensors_bytes({"w": ("U8", (1,), b"x")}, {"a.b": "c"}))
    assert api.read_metadata(local).room is not None
    found = api.read_metadata(f"{web.url}/m.safetensors")
    assert (dict(found.fields), found.room) == ({"a.b": "c"}, None)
