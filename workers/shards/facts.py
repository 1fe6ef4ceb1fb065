"""What has to be the same for all who evaluate one job's images."""

from collections.abc import Sequence
from dataclasses import asdict
from dataclasses import dataclass
from importlib.metadata import version
from platform import node

import torch

from workers.shards.errors import ShardsDiffer


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one of them has."""

    #: the machine it runs on: the one thing that may differ
    where: str
    #: digest of the captured network
    network: str
    #: kind of device
    device: str
    pytorch: str
    release: str

    @classmethod
    def of(cls, network: str, device: torch.device) -> "Facts":
        """Return those of this process, for the digest of a network on the device."""
        return cls(
            where=node(),
            network=network,
            device=device.type,
            pytorch=torch.__version__,
            release=version("bitfloor"),
        )


def require_alike(found: Sequence[Facts], mine: Facts) -> None:
    """Raise ShardsDiffer unless all are alike, and like those of the process that asks them.

    The digest of a network on another kind of device differs in what was rounded there.
    """
    fields = ["device", "pytorch", "release", "network"]
    for one in found:
        same_kind = one.device == mine.device
        for name in fields:
            own, others = asdict(one)[name], asdict(found[0])[name]
            if own != others:
                raise ShardsDiffer(f"{name} ({own})", one.where)
            if own != asdict(mine)[name] and (same_kind or name in ("pytorch", "release")):
                raise ShardsDiffer(f"{name} ({own})", one.where)
