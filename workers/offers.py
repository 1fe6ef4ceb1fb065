"""What this worker offers, announced through the store, since the API cannot load a network."""

from search import lin  # noqa: F401  # registers its sampler
from search import optuna_samplers  # noqa: F401  # registers its samplers
from search import samplers
from search.quantization import catalog  # noqa: F401  # registers the quantizers
from search.quantization import quantizer
from service.store.values import Offer
from workers.datasets import catalog as datasets
from workers.datasets.source import Surroundings
from workers.models.registry import Models


def offers(models: Models, around: Surroundings) -> list[Offer]:
    """Return everything a request can name."""
    return [
        *(Offer(kind="model", name=name, details=d) for name, d in models.offers().items()),
        *datasets.offers(around),
        *(
            Offer(
                kind="quantizer",
                name=q.name,
                details={
                    "summary": q.summary,
                    "keeps_zero": q.keeps_zero,
                    "kinds": sorted(kind.value for kind in q.kinds),
                },
            )
            for q in quantizer.registered()
        ),
        *(Offer(kind="sampler", name=name, details={}) for name in samplers.registered()),
    ]
