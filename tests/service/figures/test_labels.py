"""Names of layers at an axis."""

from service.figures.labels import labels


class TestLabels:
    def test_names_that_fit_stay_as_they_are(self) -> None:
        assert labels(["features.0", "features.21"], most=12) == ["features.0", "features.21"]

    def test_what_all_share_is_left_out_where_one_is_too_long(self) -> None:
        names = ["encoder.layers.0.mlp.out", "encoder.layers.11.mlp.out"]
        assert labels(names, most=12) == ["0", "11"]

    def test_a_part_that_only_some_share_stays(self) -> None:
        names = ["encoder.0.attention", "encoder.0.projection", "encoder.10.attention"]
        assert labels(names, most=16) == ["0.attention", "0.projection", "10.attention"]

    def test_names_that_begin_like_others_end_keep_a_part(self) -> None:
        assert labels(["a" * 20, f"{'a' * 20}.b"], most=5) == ["aa…aa", "aa….b"]

    def test_the_middle_of_a_long_one_goes(self) -> None:
        assert labels(["abcdefghijklmnop"], most=8) == ["abc…mnop"]
        assert all(len(label) == 8 for label in labels(["x" * 300, "y" * 300], most=8))

    def test_what_plotly_would_read_as_a_tag_is_text(self) -> None:
        assert labels(['<b>"&"</b>'], most=20) == ['&lt;b&gt;"&amp;"&lt;/b&gt;']

    def test_no_names_have_no_labels(self) -> None:
        assert labels([], most=8) == []
