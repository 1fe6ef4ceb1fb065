"""What workers announce: a thousand names, told again at every start, while others write."""

from sqlalchemy import Engine
from sqlalchemy import event

from service.store import catalog
from service.store.values import Offer

MANY = [Offer(kind="model", name=f"timm/net{n}", details={"n": n}) for n in range(1500)]


class TestAnnounce:
    def test_a_thousand_names_are_one_statement(self, engine: Engine) -> None:
        said = []
        event.listen(engine, "before_cursor_execute", lambda *told: said.append(told[2]))
        catalog.announce(engine, MANY)
        # one at a time they took most of a second, in which nobody else could write on SQLite
        assert len([text for text in said if text.startswith("INSERT")]) <= 2
        assert len(catalog.offers(engine, "model")) == len(MANY)

    def test_what_is_announced_again_says_the_new(self, engine: Engine) -> None:
        catalog.announce(engine, MANY)
        catalog.announce(engine, [Offer(kind="model", name="timm/net7", details={"n": "seven"})])
        found = {offer.name: offer.details for offer in catalog.offers(engine, "model")}
        assert (found["timm/net6"], found["timm/net7"]) == ({"n": 6}, {"n": "seven"})
        assert len(found) == len(MANY)

    def test_nothing_to_offer_is_nothing_to_write(self, engine: Engine) -> None:
        catalog.announce(engine, [])
        assert catalog.names(engine) == {}
