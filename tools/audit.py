"""Asks whether a pinned version is known to be vulnerable, and says so where nobody could tell.

Exit status 1: something was found that tools/audit_exceptions.toml does not excuse. Where the index
cannot be reached, or has no data on vulnerabilities, as mirrors may, the check ends with 0 and says
on every such run, in CI too, that it did not check.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXCEPTIONS = Path(__file__).with_name("audit_exceptions.toml")
MOST_SECONDS = 120
_FEW = 5

#: constraints -> what pip-audit wrote to stdout and stderr
Ask = Callable[[Path], tuple[str, str]]


@dataclass(frozen=True)
class Findings:
    """What is known of the pinned versions."""

    #: "NAME VERSION: ID" -> what to do, of what nothing excuses
    found: Mapping[str, str]
    #: versions that were looked up, and names that could not be
    asked: int
    unknown: Sequence[str]
    #: exceptions for what is not there any more; told only if everything could be looked up
    idle: Sequence[str]


def read(report: Mapping[str, Any], exceptions: Mapping[str, str]) -> Findings:
    """Return what pip-audit's JSON report says, less the exceptions (id -> reason)."""
    items = report["dependencies"]
    known = [item for item in items if "skip_reason" not in item]
    unknown = [item["name"] for item in items if "skip_reason" in item]
    vulnerable = [(item, vuln) for item in known for vuln in item["vulns"]]
    met = {name for _, vuln in vulnerable for name in (vuln["id"], *vuln["aliases"])}
    found = {
        f"{item['name']} {item['version']}: {vuln['id']}": _remedy(vuln)
        for item, vuln in vulnerable
        if not {vuln["id"], *vuln["aliases"]} & {*exceptions}
    }
    return Findings(found, len(known), unknown, [] if unknown else sorted({*exceptions} - met))


def told(findings: Findings) -> tuple[str, int]:
    """Return what to print, and the exit status."""
    lines = [f"vulnerable: {what}; {remedy}" for what, remedy in findings.found.items()]
    lines += [f"exception {name} is idle; remove it" for name in findings.idle]
    if findings.unknown:
        few = ", ".join(findings.unknown[:_FEW])
        lines.append(
            f"WARNING: NOT AUDITED: the index told nothing of {len(findings.unknown)} of "
            f"{len(findings.unknown) + findings.asked} versions ({few}, ...); "
            "run `make audit` where the public index can be reached"
        )
    else:
        lines.append(f"{findings.asked} versions looked up, {len(findings.found)} vulnerable")
    return "\n".join(lines), int(bool(findings.found or findings.idle))


def ask(constraints: Path) -> tuple[str, str]:
    """Return what pip-audit wrote to stdout and stderr; raise subprocess.TimeoutExpired."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(constraints), "--no-deps"]
    command += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=MOST_SECONDS
    )
    return done.stdout, done.stderr


def main(constraints: Path, ask: Ask = ask) -> int:
    """Ask, print, and return the exit status."""
    said = ""
    try:
        document, said = ask(constraints)
        report = json.loads(document)
    except (subprocess.TimeoutExpired, ValueError) as error:
        why = said.strip().splitlines() if isinstance(error, ValueError) else [str(error)]
        print(f"WARNING: NOT AUDITED: the index cannot be asked: {why[-1] if why else error}")
        return 0
    exceptions = tomllib.loads(EXCEPTIONS.read_text())
    text, status = told(read(report, exceptions))
    print(text)
    return status


def _remedy(vulnerability: Mapping[str, Any]) -> str:
    fixed = ", ".join(vulnerability["fix_versions"])
    return f"fixed in {fixed}" if fixed else "not fixed in any version yet"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
