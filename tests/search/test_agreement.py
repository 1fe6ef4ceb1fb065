"""Figures agree exactly, or within the images that are allowed for."""

from typing import Any

from search.agreement import PARTS
from search.agreement import figures

SPLIT = {"images": 500, "correct": 490, "lost": 4, "gained": 0, "accuracy": 0.98, "p_value": 0.01}
DOCUMENT: dict[str, Any] = {"saved": 0.9, "search": SPLIT, "certification": SPLIT, "model": "m"}


def differing(
    found: dict[str, Any], *, slack: int = 0, parts: tuple[str, ...] = PARTS
) -> list[str]:
    compared = figures(DOCUMENT, {**DOCUMENT, **found}, parts=parts, slack=slack)
    return [one["name"] for one in compared if not one["agrees"]]


def test_what_is_computed_alike_agrees_and_is_told_with_both_values() -> None:
    compared = list(figures(DOCUMENT, DOCUMENT | {"saved": 0.9 + 1e-15}, parts=PARTS, slack=0))
    assert all(one["agrees"] for one in compared)
    assert compared[0] == {"name": "saved", "stated": 0.9, "found": 0.9 + 1e-15, "agrees": True}
    assert [one["name"] for one in compared if one["name"].startswith("search")] == [
        f"search.{name}" for name in ("images", "correct", "lost", "gained", "accuracy", "p_value")
    ]


def test_one_image_differs_unless_it_is_allowed_for() -> None:
    moved = SPLIT | {"correct": 489, "lost": 5, "accuracy": 0.978, "p_value": 0.03}
    names = ["certification.correct", "certification.lost", "certification.accuracy"]
    assert differing({"certification": moved}) == names
    assert differing({"certification": moved}, slack=1) == []


def test_a_forged_p_value_is_seen_where_the_counts_are_the_same() -> None:
    forged = SPLIT | {"p_value": 0.04}
    assert differing({"certification": forged}) == ["certification.p_value"]
    assert differing({"certification": forged}, slack=1) == ["certification.p_value"]


def test_no_slack_is_given_to_what_is_stored_or_to_how_many_images_there_are() -> None:
    assert differing({"saved": 0.91, "search": SPLIT | {"images": 499}}, slack=9) == [
        "saved",
        "search.images",
    ]


def test_on_other_images_only_what_is_stored_is_compared() -> None:
    assert differing({"search": SPLIT | {"lost": 9}}, parts=()) == []
    assert differing({"saved": 0.8}, parts=()) == ["saved"]
