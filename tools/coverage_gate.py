"""Fails where a part of the source is tested less than it has promised."""

import json
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path
from typing import Any

REPORT = Path(".coverage.json")


def main(gates: Sequence[str]) -> int:
    """Check "folder=percent" gates against coverage's JSON report; return the exit status."""
    files = json.loads(REPORT.read_text())["files"]
    status = 0
    for gate in gates:
        folder, _, least = gate.partition("=")
        seen = covered(files, folder)
        verdict = "ok" if seen >= float(least) else "TOO LOW"
        print(f"coverage of {folder}: {seen:.2f} %, at least {float(least):g} %: {verdict}")
        status |= seen < float(least)
    return status


def covered(files: Mapping[str, Any], folder: str) -> float:
    """Return the percentage of lines and branches under `folder` that ran; 0 if there are none."""
    inside = [files[path]["summary"] for path in files if path.startswith(f"{folder}/")]
    ran = sum(s["covered_lines"] + s.get("covered_branches", 0) for s in inside)
    there = sum(s["num_statements"] + s.get("num_branches", 0) for s in inside)
    return 100 * ran / there if there else 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
