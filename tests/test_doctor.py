"""`rag doctor` names what is there, and what mends what is not."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Index
from rag import llm
from tests.llm_server import MODEL, serving
from ui.cli import main

Capture = pytest.CaptureFixture[str]


def test_all_is_well(sample_index: Path, capsys: Capture) -> None:
    assert main(["doctor", "--index", str(sample_index), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["well"]
    found = {one["what"]: one["told"] for one in printed["found"]}
    assert found["embedding model"] == "all-MiniLM-L6-v2"
    assert "language model" not in found


def test_what_is_missing_names_the_command(tmp_path: Path, capsys: Capture) -> None:
    assert main(["doctor", "--index", str(tmp_path / "none")]) == 2
    told = capsys.readouterr().out
    assert "BAD  index" in told
    assert "`rag index`" in told


def test_what_a_disk_changed_by_itself_is_found(
    make_index: Callable[[dict[str, str]], Index], capsys: Capture
) -> None:
    index = make_index({"wall.txt": "The wall was raised in 2019."})
    vectors = index.build / "vectors.faiss"
    status, content = vectors.stat(), vectors.read_bytes()
    vectors.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    os.utime(vectors, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert main(["doctor", "--index", str(index.build.parent.parent)]) == 2
    assert "vectors.faiss of the index is damaged" in capsys.readouterr().out


def test_a_server_is_asked_for_its_models(sample_index: Path, capsys: Capture) -> None:
    with serving() as script:
        script.say("Yes.")
        flags = ["--index", str(sample_index), "--llm-url", script.url]
        assert main(["doctor", "--llm", MODEL, *flags]) == 0
        assert f"ok   models           {MODEL}" in capsys.readouterr().out
        assert main(["doctor", "--llm", "other", *flags]) == 2
        assert f"has no model other; it has {MODEL}." in capsys.readouterr().out
        assert script.asked[0]["messages"] == [{"role": "user", "content": "Say yes."}]


def test_local_servers_are_looked_for_when_asked(
    sample_index: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving() as script:
        monkeypatch.setattr(llm, "LOCAL_SERVERS", {"Ollama": script.url})
        assert main(["doctor", "--index", str(sample_index), "--find-llm"]) == 0
        assert f"Ollama at {script.url}: {MODEL}" in capsys.readouterr().out
    assert main(["doctor", "--index", str(sample_index), "--find-llm"]) == 0
    assert "none runs on this machine" in capsys.readouterr().out
