"""Every error that concerns webhooks, as a tree: facts go in, a sentence comes out.

WebhookError
├── UrlRefused       a webhook may not go there
├── AddressRefused   the host's name leads to where no webhook may go
├── HostUnknown      the host's name leads nowhere
├── EntryUnusable    what the operator wrote allows no host
└── SecretUnusable   there is none to sign with, or one that could be guessed
"""


class WebhookError(Exception):
    """The base of everything `service.webhooks` raises on purpose."""


class UrlRefused(WebhookError):
    """A webhook may not go to this URL; the sentence repeats no more of it than its host."""

    #: of the submission
    field = "webhook.url"

    def __init__(self, why: str) -> None:
        super().__init__(why)


class AddressRefused(WebhookError):
    """The name of the host stands for an address that webhooks may not go to."""

    def __init__(self, host: str) -> None:
        super().__init__(
            f"{host} leads to an address that is not public; the operator may name the network it "
            "lies in with BITFLOOR_WEBHOOK_HOSTS"
        )


class HostUnknown(WebhookError):
    """The name of the host stands for no address."""

    def __init__(self, host: str) -> None:
        super().__init__(f"the name {host} cannot be resolved")


class EntryUnusable(WebhookError):
    """An entry of BITFLOOR_WEBHOOK_HOSTS cannot be used."""

    def __init__(self, entry: str, why: str) -> None:
        super().__init__(
            f"{entry[:200]!r} {why}; write HOST, HOST:PORT or http://HOST:PORT, and =NETWORK after "
            "it where the host is not public"
        )


class SecretUnusable(WebhookError):
    """There is nothing to sign with, or it could be guessed."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{why}; make one with: openssl rand -base64 32")
