"""When a webhook that failed is tried again: ever later, and never all at the same moment."""

from service.store.deliveries import MAX_TRIES
from service.store.webhooks import Outcome

FIRST_PAUSE = 15.0  # seconds; seven pauses make about a day
GROWTH = 4.0
JITTER = 0.2  # share by which a pause is longer or shorter

GONE = 410  # the receiver says that it wants no more of this


def retry_in(tries: int, outcome: Outcome, *, draw: float) -> float | None:
    """Return the seconds until the next try, after `tries`; None: there is none.

    `draw` is anything in [0, 1), at random.
    """
    if tries >= MAX_TRIES or outcome.status == GONE:
        return None
    # type: the power of two numbers may be complex
    pause: float = FIRST_PAUSE * GROWTH ** (tries - 1)
    return pause * (1 + JITTER * (2 * draw - 1))
