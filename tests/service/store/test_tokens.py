"""Tokens and sessions: good until they are revoked or run out, and never stored themselves."""

import pytest
from sqlalchemy import Engine
from sqlalchemy import text

from service.store import sessions
from service.store import tokens
from service.store.access import Principal
from service.store.access import Scope
from service.store.errors import TokenNotFound

READ = frozenset({Scope.READ})
GONE = -1.0  # seconds: ran out before it began


def create(engine: Engine, *, lifetime: float | None = None) -> tuple[str, str]:
    token, shown = tokens.create(engine, tenant="vision", name="ci", scopes=READ, lifetime=lifetime)
    return token.id, shown


class TestPrincipal:
    def test_a_token_stands_for_its_tenant_and_scopes(self, engine: Engine) -> None:
        token_id, shown = create(engine)
        expected = Principal(tenant="vision", scopes=READ, token_id=token_id)
        assert tokens.principal(engine, shown) == expected

    def test_nothing_else_stands_for_anybody(self, engine: Engine) -> None:
        token_id, shown = create(engine)
        _, other = create(engine)
        prefix, _, secret = shown.split("_", 2)
        wrong = [
            "",
            secret,
            shown[:-1],
            shown + "x",
            shown.upper(),
            f"{prefix}_{token_id}_{'A' * 43}",
            f"{prefix}_{token_id}_{other.split('_', 2)[2]}",
            f"{prefix}_{'0' * 16}_{secret}",
            f"{prefix}_{token_id}' OR '1'='1_{secret}",
        ]
        assert [one for one in wrong if tokens.principal(engine, one)] == []

    def test_a_revoked_token_is_of_no_use(self, engine: Engine) -> None:
        token_id, shown = create(engine)
        first = tokens.revoke(engine, token_id)
        assert first.revoked_at is not None
        assert tokens.principal(engine, shown) is None
        assert tokens.revoke(engine, token_id) == first

    def test_a_token_is_of_no_use_once_it_ran_out(self, engine: Engine) -> None:
        _, shown = create(engine, lifetime=GONE)
        assert tokens.principal(engine, shown) is None
        _, lasting = create(engine, lifetime=60)
        assert tokens.principal(engine, lasting) is not None

    def test_admin_allows_everything_and_sees_every_tenant(self) -> None:
        admin = Principal(tenant="ops", scopes=frozenset({Scope.ADMIN}))
        assert [scope for scope in Scope if not admin.may(scope)] == []
        assert admin.sees is None
        reader = Principal(tenant="ops", scopes=READ)
        assert [scope for scope in Scope if reader.may(scope)] == [Scope.READ]
        assert reader.sees == "ops"


class TestKept:
    def test_no_secret_is_in_the_database(self, engine: Engine) -> None:
        token_id, shown = create(engine)
        browser = sessions.begin(engine, token_id, seconds=60)
        with engine.connect() as connection:
            kept = [
                str(value)
                for table in ("tokens", "sessions")
                for row in connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - both names are ours
                for value in row
            ]
        assert kept
        secret = shown.split("_", 2)[2]
        assert [value for value in kept if secret in value or browser in value] == []

    def test_use_is_noted_once_an_hour(self, engine: Engine) -> None:
        _, shown = create(engine)
        assert tokens.every(engine)[0].last_used_at is None
        tokens.principal(engine, shown)
        noted = tokens.every(engine)[0].last_used_at
        assert noted is not None
        tokens.principal(engine, shown)
        assert tokens.every(engine)[0].last_used_at == noted

    def test_tokens_are_listed_by_tenant(self, engine: Engine) -> None:
        assert not tokens.exist(engine)
        token_id, _ = create(engine)
        with engine.begin() as connection:
            # two may be made within what a database's clock counts
            connection.execute(text("UPDATE tokens SET created_at = created_at - 1"))
        tokens.create(engine, tenant="audio", name="ci", scopes=READ)
        assert [token.id for token in tokens.every(engine, "vision")] == [token_id]
        assert [token.tenant for token in tokens.every(engine)] == ["vision", "audio"]

    def test_tokens_of_no_use_do_not_count_as_existing(self, engine: Engine) -> None:
        token_id, _ = create(engine)
        create(engine, lifetime=GONE)
        assert tokens.exist(engine)
        tokens.revoke(engine, token_id)
        assert not tokens.exist(engine)

    def test_revoking_what_is_not_there_says_so(self, engine: Engine) -> None:
        with pytest.raises(TokenNotFound, match="no token 'abc'"):
            tokens.revoke(engine, "abc")


class TestSession:
    def test_a_session_stands_for_its_token(self, engine: Engine) -> None:
        token_id, shown = create(engine)
        secret = sessions.begin(engine, token_id, seconds=60)
        assert sessions.principal(engine, secret) == tokens.principal(engine, shown)
        assert sessions.principal(engine, shown) is None

    def test_it_ends_when_asked_to(self, engine: Engine) -> None:
        token_id, _ = create(engine)
        secret = sessions.begin(engine, token_id, seconds=60)
        other = sessions.begin(engine, token_id, seconds=60)
        sessions.end(engine, secret)
        assert sessions.principal(engine, secret) is None
        assert sessions.principal(engine, other) is not None

    def test_it_ends_with_its_token(self, engine: Engine) -> None:
        token_id, _ = create(engine)
        secret = sessions.begin(engine, token_id, seconds=60)
        tokens.revoke(engine, token_id)
        assert sessions.principal(engine, secret) is None

    def test_it_runs_out_and_is_forgotten(self, engine: Engine) -> None:
        token_id, _ = create(engine)
        secret = sessions.begin(engine, token_id, seconds=GONE)
        assert sessions.principal(engine, secret) is None
        sessions.begin(engine, token_id, seconds=60)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT count(*) FROM sessions")).scalar_one() == 1
