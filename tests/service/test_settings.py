"""Settings come from the environment, and the defaults are those of one machine."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from service.settings import Settings


class TestSettings:
    def test_by_default_everything_stays_on_this_machine(self) -> None:
        settings = Settings()
        assert settings.host == "127.0.0.1"
        assert settings.store_url == "sqlite:///bitfloor-data/bitfloor.db"

    def test_the_environment_is_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BITFLOOR_DATABASE_URL", "postgresql://db/bitfloor")
        monkeypatch.setenv("BITFLOOR_PORT", "9000")
        settings = Settings()
        assert (settings.store_url, settings.port) == ("postgresql://db/bitfloor", 9000)

    @pytest.mark.parametrize("port", ["0", "65536", "http"])
    def test_a_value_that_cannot_be_used_is_refused(
        self, monkeypatch: pytest.MonkeyPatch, port: str
    ) -> None:
        monkeypatch.setenv("BITFLOOR_PORT", port)
        with pytest.raises(ValidationError, match="port"):
            Settings()

    def test_they_do_not_change(self) -> None:
        with pytest.raises(ValidationError, match="frozen"):
            Settings().data_dir = Path("elsewhere")
