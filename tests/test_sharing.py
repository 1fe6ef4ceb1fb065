"""A test run's processes: each class is kept together, and everything that starts crowds."""

from pathlib import Path

import pytest

from tests import sharing

ROOT = Path(__file__).parents[1]


class TestScope:
    @pytest.mark.parametrize(
        "nodeid, expected",
        [
            ("tests/a/test_b.py::test_c[1]", "tests/a/test_b.py"),
            ("tests/a/test_b.py::TestB::test_c", "tests/a/test_b.py::TestB"),
            ("tests/workers/cluster/test_ray.py::TestLost::test_c", "crowds"),
            ("tests/workers/cluster/test_fleet.py::test_c", "crowds"),
            ("tests/benchmarks/chaos/test_faults.py::TestSqlite::test_c", "crowds"),
            ("tests/deployment/test_compose.py::TestRay::test_c", "crowds"),
            (
                "tests/deployment/test_compose.py::TestServices::test_c",
                "tests/deployment/test_compose.py::TestServices",
            ),
        ],
    )
    def test_is_the_class_or_the_module_or_all_crowds(self, nodeid: str, expected: str) -> None:
        assert sharing.scope(nodeid) == expected

    def test_every_test_that_imports_ray_is_among_the_crowds(self) -> None:
        found = {
            path.relative_to(ROOT).as_posix()
            for path in (ROOT / "tests").rglob("test_*.py")
            if path != Path(__file__) and "ray.cluster_utils" in path.read_text()
        }
        assert found
        assert {sharing.scope(f"{path}::test") for path in found} == {"crowds"}
