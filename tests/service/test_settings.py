"""Settings come from the environment and do not change."""

import pytest
from pydantic import ValidationError

from service.settings import Settings


class TestSettings:
    def test_the_environment_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BITFLOOR_MAX_BODY_BYTES", "4096")
        assert Settings().max_body_bytes == 4096

    @pytest.mark.parametrize("seconds", ["0", "-1", "often"])
    def test_a_value_that_cannot_be_used_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, seconds: str
    ) -> None:
        monkeypatch.setenv("BITFLOOR_FOLLOW_SECONDS", seconds)
        with pytest.raises(ValidationError, match="follow_seconds"):
            Settings()

    def test_they_do_not_change(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            Settings().follow_seconds = 2.0
