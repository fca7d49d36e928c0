"""Values as people write them: when two are the same thing, and when they can contradict. Pure."""

import re
from functools import lru_cache

from rag.query import without_accents

NUMBER_WORDS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen twenty".split()
    )
} | {
    word: 10 * value
    for value, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), 3)
}
TENS = "|".join(word for word, value in NUMBER_WORDS.items() if value >= 20)
ONES = "|".join(word for word, value in NUMBER_WORDS.items() if 0 < value < 10)
SCALES = {
    **dict.fromkeys(["hundred"], 1e2),
    **dict.fromkeys(["thousand", "k"], 1e3),
    **dict.fromkeys(["million", "m", "mn"], 1e6),
    **dict.fromkeys(["billion", "b", "bn"], 1e9),
    **dict.fromkeys(["trillion", "tn"], 1e12),
}
SIGNS = {"$": "dolla", "€": "euros", "£": "pound", "¥": "yen", "%": "perce", "°": "degre"}
LAST_DAY = 31
LATEST_YEAR = 2200
FEW_WORDS = 3  # Fish against dogs; more are clauses, and clauses differ in their wording.
MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "january jan", "february feb", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sept sep", "october oct", "november nov",
            "december dec",
        ],
        1,
    )
    for name in names.split()
}  # fmt: skip
NUMBER = re.compile(
    r"(?P<digits>\d{1,3}(?:[,\u00a0\u202f ]\d{3}(?!\d))+(?:\.\d+)?|\d+(?:\.\d+)?)(?:st|nd|rd|th)?"
    r"(?:[ -]?(?P<scale>hundred|thousand|million|billion|trillion|bn|mn|tn|[kmb])\b)?"
    rf"|\b(?P<word>(?:{TENS})-(?:{ONES})|{'|'.join(NUMBER_WORDS)})\b"
    r"(?:[ -](?P<word_scale>hundred|thousand|million|billion|trillion)\b)?",
    re.IGNORECASE,
)
SHORT_YEARS = re.compile(r"\b(1\d|20)(\d\d)[–/-](\d\d)\b(?![–/-])")  # Years as 1754 to 63.
WORD = re.compile(r"[^\W\d_]+")
# Words around a value that do not change it.
FILLERS = frozenset(
    "a an the of in on at to for from by with about around over under nearly almost some more "
    "than least most up just only roughly approximately since until and or its his her their mr "
    "mrs ms dr sir dame lord lady senator governor mayor president prime minister sheikh "
    "ayatollah seyed king queen prince professor captain st saint".split()
)


REMEMBERED = 1024  # Values; the question and the best words are looked at for every finding.
NAME_LINKS = frozenset("& of the de la el al bin ibn van von der den da di du y and".split())
# Units as `units` gives them, cut to five letters.
MEASURES = frozenset(
    "metre meter kilom centi milli miles feet foot inch euros euro dolla pound perce "
    "degre yen tonne tons litre liter barre kilog grams watts megaw hecta acres years year month "
    "weeks days hours minut secon".split()
)


def numbers(value: str) -> list[float]:
    """The numbers of a value, with scale words worked in: $3bn and 3,000 million are 3e9."""
    value = SHORT_YEARS.sub(r"\1\2–\1\3", value)
    found = []
    for match in NUMBER.finditer(value):
        if match["digits"]:
            amount = float(re.sub(r"[^\d.]", "", match["digits"]))
            scale = match["scale"]
        else:
            amount = float(sum(NUMBER_WORDS[part] for part in match["word"].lower().split("-")))
            scale = match["word_scale"]
        # Rounded, since 2.01 million is 2,010,000 and floats do not know it.
        found.append(round(amount * SCALES.get((scale or "").lower(), 1), 6))
    return found


def months(value: str) -> set[int]:
    """The months that a value names, January as 1."""
    return {MONTHS[word.lower()] for word in WORD.findall(value) if word.lower() in MONTHS}


@lru_cache(REMEMBERED)
def kind(value: str) -> str:
    """What sort of value it is: number (dates too), name, or words."""
    if numbers(value) or months(value):
        return "number"
    words = [word for word in WORD.findall(value) if word.lower() not in FILLERS]
    return "name" if any(word[0].isupper() for word in words) else "words"


def same_value(one: str, other: str) -> bool:
    """Whether two values may be the same thing written differently.

    Lenient on purpose: one as a part of the other counts as the same, so that "2019" and "since
    May 2019", or "Raisi" and "Ebrahim Raisi", are no conflict.
    """
    if kind(one) == kind(other) == "number":
        if months(one) or months(other):
            return not any(
                mine and theirs and not (mine <= theirs or theirs <= mine)
                for mine, theirs in _dates(one, other)
            )
        mine, theirs = set(numbers(one)), set(numbers(other))
        return mine <= theirs or theirs <= mine
    if _is_short_for(one, other) or _is_short_for(other, one):
        return True
    mine_words, their_words = stems(one), stems(other)
    return mine_words <= their_words or their_words <= mine_words


def _is_short_for(short: str, name: str) -> bool:
    """Whether a value is made of the initials of a name: NJ or N.J. of New Jersey."""
    initials = "".join(word[0] for word in WORD.findall(name) if word not in NAME_LINKS)
    letters = short.removeprefix("the ").replace(".", "")
    return len(initials) > 1 and initials.isupper() and letters == initials


def _dates(one: str, other: str) -> list[tuple[set[float], set[float]]]:
    """The days, months and years of two dates, side by side."""
    pairs = []
    for value in (one, other):
        amounts = set(numbers(value))
        days = {amount for amount in amounts if amount <= LAST_DAY}
        pairs.append((days, {float(month) for month in months(value)}, amounts - days))
    return list(zip(*pairs, strict=True))


@lru_cache(REMEMBERED)
def stems(value: str) -> frozenset[str]:
    """The words of a value without fillers and accents, cut short.

    Five letters are kept: Venezuela and Venezuelan are one.
    """
    words = map(str.lower, WORD.findall(without_accents(value)))
    return frozenset(word[:5] for word in words if word not in FILLERS)


def is_proper_name(value: str) -> bool:
    """Whether a value is nothing but a name: Felix Plasencia, not the Iranian president."""
    words = [word for word in value.split() if word not in NAME_LINKS]
    return bool(words) and all(word[0].isupper() for word in words)


def comparable(one: str, other: str) -> bool:
    """Whether two values are of one kind and unit, so that they can contradict each other."""
    if kind(one) != kind(other):
        return False
    if kind(one) == "words":
        return max(len(one.split()), len(other.split())) <= FEW_WORDS
    if kind(one) == "name":
        return is_proper_name(one) and is_proper_name(other)
    # A month against a year says nothing; nor do barrels against dollars.
    if months(one) or months(other):
        return any(
            mine and theirs and max(mine | theirs) <= LATEST_YEAR
            for mine, theirs in _dates(one, other)
        )
    my_units, their_units = units(one), units(other)
    if my_units and their_units:
        return bool(my_units & their_units)
    # One of them counts metres or money and the other does not say what.
    return not (my_units | their_units) & MEASURES


def units(value: str) -> set[str]:
    """What a number counts: the words beside it, signs as words, cut to five letters."""
    words = WORD.findall(NUMBER.sub(" ", value).lower())
    bare = {word[:5] for word in words if word not in FILLERS and word not in MONTHS}
    signs = {SIGNS[sign] for sign in SIGNS if sign in value}
    return (bare - SCALES.keys() - {"per", "cent"}) | signs | ({"perce"} & {"".join(words)[:5]})
