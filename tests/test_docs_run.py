"""Every command in the documents runs, and prints what they show."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_floors import ROOT

DOCUMENTS = ["README.md", *sorted(str(p.relative_to(ROOT)) for p in (ROOT / "docs").glob("*.md"))]
FIXTURES = ROOT / "fixtures" / "third_party"
ALIASES = {"silero_vad.onnx": "silero_vad_v6.onnx"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Synopses; what takes minutes and has a test or a table of its own; what needs a model of gigabytes.
SKIPPED = re.compile(r"MODEL|OUT\b|scripts/|pip |bench_|decoder\.onnx|freezer engines|page\.html|\.\.\.")
TIMES = re.compile(r"^(time|written|fetched)\b")
ROUNDING = re.compile(r"at most [\d.e-]+")  # of fused sums, which differs from one processor to another


def blocks(document: str) -> list[tuple[str, str, str]]:
    """(language, content, the text before it) of each block."""
    text = (ROOT / document).read_text()
    found = list(BLOCK.finditer(text))
    starts = [0, *(m.end() for m in found)]
    return [(m[1], m[2], text[start : m.start()]) for start, m in zip(starts, found, strict=False)]


def commands(language: str, content: str) -> list[tuple[str, list[str]]]:
    """(command, the lines it is said to print) of a shell block."""
    lines = content.replace("\\\n", " ").splitlines()
    if language == "sh":
        return [(line, []) for line in lines if line and not line.startswith("#")]
    found: list[tuple[str, list[str]]] = []
    for line in lines:
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip() and found:
            found[-1][1].append(line)
    return found


def provide(command: str, folder: Path) -> None:
    """The fixtures that a command names."""
    for word in shlex.split(command):
        origin = FIXTURES / ALIASES.get(Path(word).name, Path(word).name)
        target = folder / word
        if word.endswith(".onnx") and origin.exists() and not target.exists() and not Path(word).is_absolute():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, target)
    if "fixtures/modules" in command and not (folder / "fixtures").exists():
        shutil.copytree(ROOT / "fixtures" / "modules", folder / "fixtures" / "modules")


def printed(command: str, folder: Path) -> str:
    command = command.partition(" | ")[0]  # to the shell, a filter only shows less
    provide(command, folder)
    words = [sys.executable, "-m", *shlex.split(command)] if command.startswith("freezer ") else shlex.split(command)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "110"}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert "internal error" not in done.stderr
    return done.stdout + done.stderr


def run_python(content: str, folder: Path) -> None:
    """Run a block; what a `print(...)  # shows` is said to show must be printed."""
    provide(" ".join(re.findall(r'"([^"]+\.onnx)"', content)), folder)
    done = subprocess.run(
        [sys.executable, "-c", content], cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for line, shown in re.findall(r"^print\((.*)\)  # (.*)$", content, re.MULTILINE):
        assert shown in done.stdout, line


def squeezed(text: str) -> list[str]:
    return [ROUNDING.sub("at most ...", " ".join(line.split())) for line in text.splitlines()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_shown_runs(document: str, tmp_path: Path) -> None:
    for language, content, before in blocks(document):
        if language == "toml" and (name := re.findall(r"([\w-]+\.toml)\b", before)):
            (tmp_path / name[-1]).write_text(content)
        if language == "python" and content.startswith("import freezer"):
            run_python(content, tmp_path)
        for command, shown in commands(language, content) if language in ("sh", "console") else []:
            if SKIPPED.search(command):
                continue
            output = printed(command, tmp_path)
            assert shown or "error:" not in output, f"{command}\n{output}"
            missing = [line for line in squeezed("\n".join(shown)) if line not in squeezed(output)]
            assert not [line for line in missing if not TIMES.match(line)], f"{command}\n{output}"
