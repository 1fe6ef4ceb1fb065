"""docs/operations.md names every metric as it is served, and no other."""

import re
from collections.abc import Iterable
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import Metric
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import Engine

from service.api.app import create_app
from service.settings import LogSettings
from tests.conftest import opened
from tests.rules.source import ROOT
from tests.service.api.deployment import client_of
from workers.metrics import WorkerMetrics
from workers.settings import MetricsSettings

TEXT = (ROOT / "docs/operations.md").read_text()
NOT_LABELS = {"le"}


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    """Return an engine on a migrated SQLite database without rows."""
    with opened(sqlite_url) as engine:
        yield engine


@pytest.fixture
def served(sqlite: Engine) -> list[str]:
    """Return a row for each metric of ours that the API serves."""
    with client_of(create_app(sqlite)) as client:
        client.get("/metrics")  # so that there is a request to tell of
        return rows(text_string_to_metric_families(client.get("/metrics").text))


def rows(families: Iterable[Metric]) -> list[str]:
    """Return the table's row of each metric of ours, as it has to be written."""
    found = []
    for family in families:
        if not family.name.startswith("bitfloor_") or family.name.endswith("_created"):
            continue
        labels = {label for sample in family.samples for label in sample.labels} - NOT_LABELS
        name = f"{family.name}_total" if family.type == "counter" else family.name
        told = ", ".join(f"`{label}`" for label in sorted(labels))
        found.append(f"| `{name}` | {family.type} | {told} | {family.documentation} |")
    return found


def documented(heading: str) -> list[str]:
    """Return the rows of the first table under the heading."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `bitfloor_.*\|$", section, re.MULTILINE)


def names(table: Iterable[str]) -> set[str]:
    return {row.split("`")[1] for row in table}


class TestTables:
    def test_the_apis_metrics_are_those_that_it_serves(self, served: list[str]) -> None:
        assert documented("Metrics of the API") == served

    def test_the_workers_metrics_are_those_that_it_serves(self) -> None:
        text = generate_latest(WorkerMetrics().registry).decode()
        assert documented("Metrics of a worker") == rows(text_string_to_metric_families(text))


class TestExamples:
    BLOCKS = tuple(yaml.safe_load(block) for block in re.findall(r"(?ms)^```yaml\n(.*?)^```", TEXT))

    def rules(self) -> list[dict[str, Any]]:
        groups = [group for block in self.BLOCKS for group in block.get("groups", [])]
        return [rule for group in groups for rule in group["rules"]]

    def test_every_rule_asks_for_metrics_that_exist(self, served: list[str]) -> None:
        known = names(served) | names(documented("Metrics of a worker"))
        asked = {
            name for rule in self.rules() for name in re.findall(r"\bbitfloor_\w+", rule["expr"])
        }
        assert asked
        assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked} <= known

    def test_every_alert_says_what_to_do(self) -> None:
        alerts = [rule for rule in self.rules() if "alert" in rule]
        assert len(alerts) >= 4
        assert all(rule["annotations"]["summary"] for rule in alerts)

    def test_the_jobs_of_the_scrape_configuration_have_targets(self) -> None:
        (scrape,) = [block for block in self.BLOCKS if "scrape_configs" in block]
        for job in scrape["scrape_configs"]:
            assert job.get("static_configs") or job.get("dns_sd_configs")


class TestVariables:
    def test_every_one_of_the_settings_is_named(self) -> None:
        fields = [f"BITFLOOR_{name.upper()}" for name in LogSettings.model_fields]
        fields += [f"BITFLOOR_METRICS_{name.upper()}" for name in MetricsSettings.model_fields]
        assert [name for name in fields if name not in TEXT] == []
