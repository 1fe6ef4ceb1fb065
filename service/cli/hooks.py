"""What the operator said about webhooks: where they may go, and what signs them."""

from contextlib import AbstractContextManager
from contextlib import nullcontext

from pydantic import ValidationError
from sqlalchemy import Engine

from service.cli.errors import SettingUnusable
from service.settings import Settings
from service.webhooks import allowlist
from service.webhooks.allowlist import AllowedHost
from service.webhooks.couriers import delivering
from service.webhooks.errors import EntryUnusable
from service.webhooks.errors import SecretUnusable
from service.webhooks.post import Sender

SHORTEST = 32  # characters: what can be guessed signs nothing


def settings() -> Settings:
    """Return what the environment says; raise SettingUnusable."""
    try:
        return Settings()
    except ValidationError as error:
        raise unusable(error) from error


def unusable(error: ValidationError) -> SettingUnusable:
    """Return what the first of the wrong variables is told as."""
    first = error.errors()[0]
    return SettingUnusable(str(first["loc"][0]), first["msg"])


def couriers(engine: Engine, said: Settings) -> AbstractContextManager[None]:
    """Return a block during which webhooks are delivered, if any may be; raise SettingUnusable."""
    hosts = allowed(said)
    return delivering(engine, Sender(hosts), secrets=secrets(said)) if hosts else nullcontext()


def allowed(said: Settings) -> tuple[AllowedHost, ...]:
    """Return the hosts that webhooks may go to; raise SettingUnusable."""
    try:
        return allowlist.entries(said.webhook_hosts)
    except EntryUnusable as error:
        raise SettingUnusable("webhook_hosts", str(error)) from error


def secrets(said: Settings) -> tuple[str, ...]:
    """Return the deployment's secrets, the current one first; raise SettingUnusable."""
    field, text = "webhook_secret", ""
    if said.webhook_secret is not None:
        text = said.webhook_secret.get_secret_value()
    elif said.webhook_secret_file is not None:
        field = "webhook_secret_file"
        try:
            text = said.webhook_secret_file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = f"{said.webhook_secret_file} cannot be read: {error}"
            raise SettingUnusable(field, why) from error
    found = tuple(text.split())
    try:
        _require_good(found)
    except SecretUnusable as error:
        raise SettingUnusable(field, str(error)) from error
    return found


def _require_good(found: tuple[str, ...]) -> None:
    if not found:
        raise SecretUnusable("there is no secret to sign webhooks with")
    if any(len(secret) < SHORTEST for secret in found):
        raise SecretUnusable(f"a secret has fewer than {SHORTEST} characters and could be guessed")
