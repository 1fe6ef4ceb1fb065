"""The paper's tables as a page and as Markdown: every row, what was printed, what was given."""

import re
from typing import Any

import pytest

from search import paper
from service.figures.methods import LOOKS
from service.figures.methods import methods_figure
from service.report import reproduction
from tests.service.report.test_page import visible


def line(method: str, *, table: str = "I", holds: bool = True, **changes: Any) -> dict[str, Any]:
    """Return one row of two points."""
    made = {
        "table": table,
        "label": "11 bits",
        "method": method,
        "quantizers": ["affine", "affine"],
        "bits": [11, 11],
        "memory_bytes": 27.5,
        "saved": 0.65625,
        "average_bits": 11.0,
        "accuracy": 0.87,
        "drop": 0.01,
        "holds": holds,
        "published": None,
    }
    return made | changes


def found(*lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a document with these rows, the last one of each method that holds the best."""
    histogram = {"low": -1.0, "high": 1.0, "counts": [1, 4, 6, 4, 1]}
    made = {
        "model": "net",
        "dataset": "pictures",
        "metric": "top5",
        "sampler": "tpe",
        "images": 1000,
        "float_accuracy": 0.885,
        "floor": 0.865,
        "points": [{"name": "a", "elements": 10}, {"name": "b", "elements": 10}],
        "lines": list(lines),
        "best": {one["method"]: at for at, one in enumerate(lines) if one["holds"]},
        "histograms": {"a": histogram | {"low": 0.0}, "b": histogram},
        "before_activation": {"a": histogram, "b": histogram},
        "upper_bounds": {},
        "levels_bits": 2,
        "levels": {"affine": {"a": [0.0, 0.5, 1.0], "b": [-1.0, 0.0, 1.0]}},
    }
    return made | changes


class TestTables:
    def test_table_seven_tells_memory_against_lin_and_what_the_paper_printed(self) -> None:
        text = reproduction.markdown(
            found(
                line("uniform"),
                line("Lin et al.", table="VII", label="closed form", memory_bytes=25.0),
                line("bitfloor", table="VII", label="search", memory_bytes=5.0, bits=[1, 3]),
            )
        )
        rows = [row for row in text.split("## Table VII")[1].splitlines() if row.startswith("| ")]
        assert rows[2].endswith("| 110.0 % | 87.00 % | 65.6 % | 110.2 % |")
        assert rows[3].endswith("| 100.0 % | - | - | - |")
        assert rows[4].endswith("| 20.0 % | - | - | - |")

    def test_without_lin_nothing_is_compared_with_it(self) -> None:
        text = reproduction.markdown(found(line("bitfloor", table="VII")))
        assert "| 0.00 % |" not in text
        assert re.search(r"\| 1\.00 % \| - \| - \| - \| - \|", text)

    def test_a_row_that_misses_the_floor_says_so_and_is_in_no_summary(self) -> None:
        text = reproduction.markdown(found(line("discrete", table="IV/V", holds=False)))
        summary, tables = text.split("## Tables IV and V")
        assert "| missed |" in tables
        assert "discrete |" not in summary

    @pytest.mark.parametrize("table", reproduction.TABLES)
    def test_every_table_has_its_rows_on_the_page(self, table: str) -> None:
        page = reproduction.render(found(line("uniform", table=table, published=86.22)))
        assert reproduction.TABLES[table] in page.replace("&#x27;", "'")
        assert "86.22 %" in visible(page)


class TestPreamble:
    def test_a_bound_is_said_to_be_fitted_or_given(self) -> None:
        assert "for the least absolute error." in reproduction.markdown(found())
        given = reproduction.markdown(found(upper_bounds={"a": 6.0, "b": 2.5}))
        assert "or as the spec gives it: 6 for a, 2.5 for b." in given

    def test_the_float_network_the_floor_and_the_sampler_are_told(self) -> None:
        text = reproduction.markdown(found(sampler="lin"))
        assert "top-5 accuracy of the float network is 88.50 % on 1,000 images" in text
        assert (
            "the floor is 86.50 %. The paper's methods are searched with tpe, "
            "bitfloor's own with lin." in text
        )

    def test_the_paper_is_said_to_be_about_another_network(self) -> None:
        assert "top-5 accuracy on ImageNet" in reproduction.markdown(found())


class TestFigures:
    def test_figure_one_is_held_against_a_normal_distribution(self) -> None:
        page = reproduction.render(found())
        one = page.split('id="figure-1"')[1].split("<section")[0]
        assert one.count('class="counts"') == one.count("% normal</figcaption>") == 2

    def test_figure_two_has_the_levels(self) -> None:
        page = reproduction.render(found())
        two = page.split('id="levels-affine"')[1].split("<section")[0]
        assert two.count("affine, 2 bits, 3 levels</figcaption>") == 2
        assert "% normal" not in two


class TestMethods:
    def test_no_two_methods_look_alike(self) -> None:
        methods = (*(row.method for row in paper.BEST), "k-means", paper.LIN, "bitfloor")
        data = methods_figure(found(*map(line, methods)))["data"]
        looks = {(trace["marker"]["color"], trace["marker"]["symbol"]) for trace in data}
        assert len(looks) == len(methods) == len(LOOKS)
