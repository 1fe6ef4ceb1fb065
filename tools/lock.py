"""Writes constraints.txt: the newest version of everything that pyproject.toml asks for."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = "bitfloor"
REQUIREMENT = ".[service,worker,dev]"
HEADER = "# Written by `make lock`; every version that the tests ran with.\n"


def main(target: Path) -> None:
    """Resolve afresh, installing nothing, and replace `target`."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        resolve = ["install", "--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([sys.executable, "-m", "pip", *resolve, REQUIREMENT], check=True)
        installs = json.loads(report.read_text())["install"]
    target.write_text(HEADER + "".join(f"{pin}\n" for pin in pins(installs)))


def pins(installs: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return "name==version" of each item of pip's installation report, sorted, less ourselves."""
    found = {item["metadata"]["name"].lower(): item["metadata"]["version"] for item in installs}
    return [f"{name}=={version}" for name, version in sorted(found.items()) if name != PROJECT]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
