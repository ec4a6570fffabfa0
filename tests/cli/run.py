"""The command line as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "fixtures" / "third_party"
SILERO = FIXTURES / "silero_vad_v6.onnx"


def freezer(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run freezer with these arguments."""
    command = [sys.executable, "-m", "freezer", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd or ROOT, timeout=300)
