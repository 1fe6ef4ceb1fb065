"""Makes sure that all shards of a job have the same network and images as their worker."""

import torch

from search.quantization.capture import CapturedNetwork
from workers.data import SPLITS
from workers.data import Dataset
from workers.evaluators import rounds
from workers.shards import facts
from workers.shards.errors import ShardsDiffer
from workers.shards.facts import Facts
from workers.shards.shard import Shard
from workers.shards.shards import Shards
from workers.shards.shards import parts


def agreed(
    shards: Shards, loaded: tuple[CapturedNetwork, Dataset], *, digest: str, batch: int
) -> dict[str, str]:
    """Return what their evaluations depend on, by the names of `content.ground`.

    `loaded` and its network's digest are this process's, on the CPU. Raises ShardsDiffer.
    """
    told = shards.each("facts", {shard: {} for shard in range(shards.count)})
    found: list[Facts] = [told[shard] for shard in range(shards.count)]
    cpu = torch.device("cpu")
    facts.require_alike(found, Facts.of(digest, cpu))
    own = Shard(loaded, device=cpu, batch=batch, top=1)
    for split in SPLITS:
        images = len(loaded[1].named(split))
        numbers = range(len(rounds.sizes(images, batch)))
        theirs = parts(shards, "digests", numbers=numbers, split=split)
        mine = own.digests(numbers, split=split)
        for number, one, other in zip(numbers, mine, theirs, strict=True):
            if one != other:
                where = found[number % shards.count].where
                raise ShardsDiffer(f"the dataset ({split} images)", where)
    return {"model": found[0].network, "device": found[0].device}
