"""Names for an error message: all of a few, the closest of many."""

import difflib
import itertools
from collections.abc import Sequence

FEW = 12  # names that a sentence can list
CLOSEST = 5  # names told of more


def nearest(name: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return the known names worth telling to whoever wrote `name`: all of a few, else the closest.

    Names are also compared by what follows their last slash: "resnet18" finds a/resnet18.
    """
    if len(known) <= FEW:
        return tuple(known)
    wanted = name.lower()
    tails: dict[str, str] = {}
    for one in known:
        tails.setdefault(one.rpartition("/")[2].lower(), one)
    by_tail = difflib.get_close_matches(wanted.rpartition("/")[2], tails, CLOSEST)
    whole = difflib.get_close_matches(wanted, known, CLOSEST)
    # in turns: neither way of comparing is the better one
    turns = itertools.zip_longest((tails[tail] for tail in by_tail), whole)
    found = dict.fromkeys(one for turn in turns for one in turn if one is not None)
    return tuple(found)[:CLOSEST]


def told(name: str, known: Sequence[str]) -> str:
    """Return the names as part of a sentence: "a, b", or "120 names, closest a, b"."""
    names = nearest(name, known)
    if len(known) <= FEW:
        return ", ".join(names) or "none"
    return f"{len(known)} names" + (f", closest {', '.join(names)}" if names else "")
