"""Which articles a browser wants asked, read and said. Pure."""

import json
import re
from contextlib import suppress

from index.types import ESCAPED, FootnoteError, Selection
from ui.strings import say

LONGEST = 100_000  # Characters of what the browser sends.
DAY = re.compile(r"\d{4}-\d\d-\d\d|")


def read_selection(only: object) -> Selection | None:
    """Which articles are to be asked; None for all. Raises FootnoteError for anything else."""
    if not isinstance(only, str) or not only:
        return None
    with suppress(ValueError, KeyError, TypeError, AttributeError):
        chosen = json.loads(only[:LONGEST])
        patterns, since, until = chosen["patterns"], chosen["since"], chosen["until"]
        named = all(isinstance(pattern, str) for pattern in patterns)
        if named and DAY.fullmatch(since) and DAY.fullmatch(until):
            return Selection(tuple(patterns), since, until)
    raise FootnoteError(say("no_selection"))


def in_words(selection: Selection | None) -> str:
    """A selection as a person would say it; empty for all articles."""
    if selection is None:
        return ""
    names = [ESCAPED.sub(r"\1", pattern) for pattern in selection.patterns]
    told = [say("filter_files", count=len(names))] if len(names) > 2 else names
    dates = {"since": selection.since, "until": selection.until}
    key = "_".join(["filter_dates", *(name for name, date in dates.items() if date)])
    if any(dates.values()):
        told.append(say("filter_dates" if all(dates.values()) else key, **dates))
    return ", ".join(told)
