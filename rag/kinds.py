"""What kind of answer a question wants, and whether words can be one. Pure."""

import re

from rag.values import FILLERS, is_proper_name, kind, months, numbers, stems, units

EXPLAINING = re.compile(
    r"\b(?:why|how (?:do|does|did|is|are|was|were|can|could|will|would|should|has|have|to)\b"
    r"|explain|describe|tell me|summari[sz]e|what (?:happen|causes?)"
    r"|what (?:do|does|did) (?:the )?(?:articles?|sources?) say|in what way|what (?:is|are) known)",
    re.IGNORECASE,
)
LISTING = re.compile(
    r"^(?:list|name (?:the|some|two|three|all)|what (?:are|were)\b"
    r"|which (?:\w+ )?(?:\w+s) (?:are|were|do|did|have)\b"
    r"|what (?:steps|kinds|types|fields|reasons|ways|measures))",
    re.IGNORECASE,
)
COMPARING = re.compile(
    r"\b(?:compare[ds]?|versus|vs|differ(?:s|ent|ence)?)\b"
    r"|\b(?:which|who) (?:is|was|are|were|has|had) (?:the )?(?:\w+er|more \w+)\b.*\bor\b",
    re.IGNORECASE,
)
# "Which rules", "in what two fields": more than one thing is asked for.
SEVERAL = re.compile(
    r"\b(?:which|what) (?:(?!an? |the )[\w-]+ ){0,2}?[a-z]{2,}[^\Wsiu]s\b|\bsteps?\b"
    r"|^(?:list|name)\b|\bwhat (?:do|does|did|must|should|can)\b.* (?:have to|need to|do|contain"
    r"|include|consist of)\b",
    re.IGNORECASE,
)
QUANTITY = re.compile(
    r"\bhow (?:many|much|long|old|far|tall|high|deep|wide|big|large|heavy|fast|often|warm|hot|cold"
    r"|thick|steep)\b|\bwhat (?:percentage|proportion|number|price|age|height|length|capacity|speed"
    r"|population|distance|temperature|year|date)\b|\b(?:what|which) (?:year|century|decade)\b",
    re.IGNORECASE,
)
KIND_WORDS = re.compile(
    r"\bhow (?:many|much|long|old|far|tall|high|deep|wide|big|large|heavy|fast|often|warm|hot|cold"
    r"|thick|steep)\b",
    re.IGNORECASE,
)
MEASURE = re.compile(
    r"\bhow (?:far|tall|high|deep|wide|big|large|heavy|fast|warm|hot|cold|thick|steep)\b"
    r"|\bwhat (?:height|length|distance|speed)\b",
    re.IGNORECASE,
)
LABEL = re.compile(r"([^\W\d_]+) \d[\d.,]*")  # "Kilometre 14.5" is a place and no height.
# What some questions can only be answered in: units as rag.values gives them.
MONEY = re.compile(
    r"\bhow much (?:money|.*\b(?:costs?|pay|paid|charged?|earn|worth|spend|spent)\b)"
    r"|\bwhat (?:.*\bcost|price|salary|wage|fee|rent)\b",
    re.IGNORECASE,
)
DEGREES = re.compile(r"\bwhat temperature|\bhow (?:warm|hot|cold)\b", re.IGNORECASE)
UNITS = {
    MONEY: frozenset(
        "dolla cents euros euro pound pence yen yuan rupee rial rials bolív peso pesos franc crown "
        "krone krona kroon zloty lira liras real reais dirha dinar usd eur gbp".split()
    ),
    DEGREES: frozenset("degre celsi fahre kelvi".split()),
}
TIME = re.compile(
    r"^when\b|^since when\b|\b(?:what|which) (?:day|date|month|year|night|weekday|season|century"
    r"|decade)\b",
    re.IGNORECASE,
)
PERSON = re.compile(
    r"^(?:who|whom|whose)\b|\b(?:which|what) (?:[\w-]+ ){0,2}(?:person|man|woman|president|minister"
    r"|king|queen|leader|general|captain|engineer|scientist|author|writer|poet|painter|artist"
    r"|composer|singer|actor|actress|director|founder|inventor|ambassador|official|player|coach)\b",
    re.IGNORECASE,
)
# A clause about somebody, not somebody: "He first visited Venezuela".
PRONOUN = re.compile(r"(?:i|he|she|it|we|they|this|these|that|those|who|there)\b", re.IGNORECASE)
TIME_WORD = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day|\b(?:spring|summer|autumn|winter|morning|evening"
    r"|afternoon|night|noon|midnight|dawn|today|yesterday|century|week|month|year|after|before"
    r"|during|when|while|christmas|easter)",
    re.IGNORECASE,
)
AMOUNT_WORD = re.compile(
    r"\b(?:half|quarter|third|dozen|several|few|double|twice|once|hundreds|thousands|millions"
    r"|daily|weekly|monthly|yearly|annual|every|none?)\b",
    re.IGNORECASE,
)


# How much a reader's logit is worth less, or more, for the form of the words it points at.
MISFIT = -6.0  # They cannot be the answer: no number for how many, no date for when.
ECHO = -12.0  # They only repeat a name of the question; half of it when they do in part.
# Nothing but a name, where one is asked for. With 2 the name at the end of "the monks of Corrach"
# won over the whole, which the reader likes better; .5 to 1.5 find the same (CONTRIBUTING.md).
PROPER_NAME = 1.0
BEST_FORM = PROPER_NAME  # The most that `form` gives.
WORDY = -3.0  # A date, a number or a person wants few words.
FEW_WORDS = 5
NAME_ASKED = re.compile(r"^(?:who|whom|whose|which)\b", re.IGNORECASE)


def subject(question: str) -> str:
    """A question without the words that only say what kind of answer it wants: how tall."""
    return KIND_WORDS.sub(" ", question)


def without_kind(question: str, words: str) -> str:
    """Words without the one at their end that only says what was asked: 90 metres, not ... long."""
    found = KIND_WORDS.search(question)
    kept = words.removesuffix(found.group().split()[-1].lower()) if found else words
    return kept.rstrip() if numbers(kept) and kept.endswith(" ") else words


def is_fact(question: str) -> bool:
    """Whether a few words can answer: who, when, where, how many; not why and not a list."""
    return not (
        EXPLAINING.search(question) or LISTING.match(question) or wants_comparison(question)
    )


def wants_comparison(question: str) -> bool:
    """Whether a question holds two things against each other."""
    return COMPARING.search(question) is not None


def wants_several(question: str) -> bool:
    """Whether a question asks for more than one thing, as a list may hold them."""
    return SEVERAL.search(question) is not None


def wants_time(question: str) -> bool:
    """Whether a question asks for a date or a time."""
    return TIME.search(question) is not None


def wants_amount(question: str) -> bool:
    """Whether a question asks for a number, a quantity, a date or a time."""
    return wants_time(question) or QUANTITY.search(question) is not None


def wants_few(question: str) -> bool:
    """Whether a question asks for a number, a date or a person: something of few words."""
    return wants_amount(question) or PERSON.search(question) is not None


def fits(question: str, words: str) -> bool:
    """Whether words can answer a question at all: a date for when, a number for how many."""
    if PRONOUN.match(words) and (wants_amount(question) or NAME_ASKED.match(question)):
        return False
    if wants_time(question):
        return bool(numbers(words) or months(words) or TIME_WORD.search(words))
    for asked, wanted in UNITS.items():
        if asked.search(question):
            return bool(numbers(words)) and bool(units(words) & wanted)
    if MEASURE.search(question):
        label = LABEL.fullmatch(words)
        if label and label[1].lower() not in FILLERS:
            return False
        # A bare "three" is a count of something, not a height.
        return bool(numbers(words)) and bool(units(words) or any(c.isdigit() for c in words))
    if QUANTITY.search(question):
        return bool(numbers(words) or AMOUNT_WORD.search(words))
    if PERSON.search(question):
        return any(word[0].isupper() for word in words.split())
    return True


def echo(question: str, words: str) -> float:
    """How much a name only repeats the question: 1 whole, 0.5 in part, 0 not at all.

    Asked which president met Maduro, the words "Nicolás Maduro" are no answer, and "Nicolás Maduro
    and Hassan Rouhani" say too much.
    """
    if kind(words) != "name":
        return 0.0
    said = words.split()
    named = stems(" ".join(word for word in question.split()[1:] if word[0].isupper()))
    if not said or stems(words) <= stems(question) or stems(said[-1]) & named:
        return 1.0
    return 0.5 if stems(words) & named else 0.0


def form(question: str, words: str) -> float:
    """What the form of the words adds to the score of a span, or takes off."""
    return (
        MISFIT * (not fits(question, words))
        + ECHO * echo(question, words)
        + WORDY * (len(words.split()) > FEW_WORDS and wants_few(question))
        + PROPER_NAME * (is_proper_name(words) and NAME_ASKED.match(question) is not None)
    )
