"""A follow-up and the turns before it -> a question that stands alone. Deterministic.

Takes something from the conversation only when the question cannot stand alone: a pronoun without
its noun, or a fragment. What is searched for is always shown, so a wrong guess can be seen.
"""

import re
from collections.abc import Sequence

from rag.types import Turn

WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
PERSON = frozenset("he she him her his hers himself herself".split())
PEOPLE = frozenset("they them their theirs themselves".split())
THING = PEOPLE | frozenset("it its itself".split())
POSSESSIVE = frozenset("his hers its their theirs her".split())
# Words that point back without being a pronoun for one thing.
POINTING = re.compile(
    r"\b(?:is|was|were|are|did|does|do|about|of|for|in|after|before|like|than|with|by|on|from|why"
    r"|how|at|during|since|around|to|into|against)\s+(?:this|that|these|those)\b"
    r"|\b(?:any(?:thing|one|body)?|some(?:thing|one|body)?|what|who|how|where|no(?:thing)?) else\b"
    r"|\b(?:any|the|what|which|some) others?\b|\bat the time\b|\bthe same\b|\bthe article\b"
    r"|\bthere any\b",
    re.IGNORECASE,
)
FRAGMENT_START = re.compile(
    r"^(?:and|or|but|so|also|then|ok(?:ay)?,?|(?:and )?(?:what|how) about|what of|what else)\b",
    re.IGNORECASE,
)
LEADING = re.compile(
    r"^(?:(?:and|or|but|so|also|then|ok(?:ay)?)\b[\s,]*)?(?:(?:what|how) (?:about|of)\b\s*)?",
    re.IGNORECASE,
)
MORE = re.compile(
    r"^(?:(?:please )?(?:tell me more|say more|go on|more(?: details?)?|continue|elaborate"
    r"|explain(?: that| this)?|(?:can|could) you (?:explain|elaborate)(?: that| this| more)?"
    r"|what else)(?: about (?:it|that|this))?)\W*$",
    re.IGNORECASE,
)
BARE = frozenset("why how when where who whom which what whose really".split())
ENDING = re.compile(r"['’]s$")  # Of who owns something.
ARTICLE = re.compile(r"^(?:the|an?)\s+", re.IGNORECASE)
YEAR = re.compile(r"\b(?:1[0-9]|20)\d\d\b")
FUNCTION_WORDS = frozenset(
    "a an the really this that these those is are was were be been being am do does did done doing "
    "have has had having will would shall should can could may might must of in on at to "
    "for from by with about into over after before under between during since until than as "
    "and or but if so not no nor what which who whom whose when where why how many much "
    "long old far often far there here he she it they him her his hers its their them we us "
    "our you your i me my tell give show say said says mean means also then please again "
    "still ever just only else other another more most some any all both each because while "
    "anything everything something nothing anyone everyone someone interesting "
    "though like name called first last does year years day days happen happened take took "
    "taken get got make made go went come came use used".split()
)


def stand_alone(question: str, history: Sequence[Turn]) -> str:
    """The question to search for: the question itself unless it leans on the turns before it."""
    question = " ".join(question.split())
    if not history:
        return question
    before = history[-1]
    base = before.searched_for or before.question
    if MORE.match(question):
        return base
    words = WORD.findall(question)
    content = [word for word in words if word.casefold() not in FUNCTION_WORDS]
    if not content and (len(words) <= 2 or all(w.casefold() in BARE for w in words)):
        return f"{question.rstrip(' ?!.')}: {base}" if words else base
    leans = words and words[-1].casefold() in PERSON | THING  # "What about her?"
    if not leans and (FRAGMENT_START.match(question) or (len(words) <= 3 and not _has_verb(words))):
        return _continue(base, question, content)
    return _fill_pronouns(question, words, before, history)


def _has_verb(words: Sequence[str]) -> bool:
    auxiliaries = "is are was were do does did has have had can could will would who what which"
    return any(word.casefold() in auxiliaries.split() for word in words)


def _continue(base: str, question: str, content: Sequence[str]) -> str:
    """A fragment like "and in 2021?" or "what about Caracas?" put into the question before."""
    fragment = LEADING.sub("", question).strip(" ?!.")
    words = WORD.findall(fragment)
    if _has_verb(words) and len(content) >= 2:
        return fragment[:1].upper() + fragment[1:] + "?"  # "And who built the bridge?"
    years = YEAR.findall(fragment)
    if years and YEAR.search(base):
        return YEAR.sub(years[0], base)
    topic = names(base)
    if topic and names(f"x {fragment}") and not years:
        # A name takes the place of the name before it, and of no article with it.
        return base.replace(topic[-1], ARTICLE.sub("", fragment))
    return f"{base.rstrip(' ?!.')} {fragment}?"


def _fill_pronouns(
    question: str, words: Sequence[str], before: Turn, history: Sequence[Turn]
) -> str:
    """Put what is talked about in the place of a pronoun, or after the question."""
    found = next((w for w in words if w.casefold() in PERSON | THING), None)
    pointing = POINTING.search(question)
    if found is None and not pointing:
        return question
    # A name earlier in the same question is what its pronoun means.
    place = re.search(rf"\b{found}\b", question) if found else None
    if place and names(question[: place.start()]):
        return question
    topic = _topic(history, _kind(found))
    if not topic or topic.casefold() in question.casefold():
        return question
    if found is None or place is None:
        return f"{question.rstrip(' ?!.')} ({topic})?"
    followed = re.match(r" \w", question[place.end() :]) is not None
    owner = f"{topic}’s" if found.casefold() in POSSESSIVE and followed else topic
    return question[: place.start()] + owner + question[place.end() :]


def _kind(pronoun: str | None) -> str:
    """What a pronoun stands for: person, people or thing; people too where nothing stands."""
    word = (pronoun or "").casefold()
    return "person" if word in PERSON else "people" if word in PEOPLE or not word else "thing"


def _topic(history: Sequence[Turn], who: str) -> str:
    """What the conversation is about: the last name, else the last noun phrase.

    `who` says what a pronoun stands for: person, people or thing.
    """
    for turn in reversed(history):
        base = turn.searched_for or turn.question
        asked_for = base.split(" ", 1)[0].casefold() in {"who", "whom", "which"}
        if who == "person" and asked_for and turn.short_answer and names(f"x {turn.short_answer}"):
            return turn.short_answer
        found = names(base)
        if found and who != "thing":
            return _full(_principal(found), history)
        if found:
            return _widened(base, found[-1])
        phrases = _phrases(base)
        if phrases and who != "person":
            return max(phrases, key=len)
        if turn.short_answer and names(f"x {turn.short_answer}"):
            return turn.short_answer
    return ""


def _principal(found: Sequence[str]) -> str:
    """Of several names the one that people go on talking about: the first full name."""
    return next((name for name in found if " " in name), found[0])


def _full(name: str, history: Sequence[Turn]) -> str:
    """The longer name of which a name is a part, if the conversation has one: Zappa."""
    for turn in reversed(history):
        for text in (turn.searched_for, turn.question, f"x {turn.short_answer or ''}"):
            for longer in names(text):
                if len(longer) > len(name) and name in longer.split():
                    return longer
    return name


def words_of(text: str) -> list[str]:
    """The words of a text, Raisi for Raisi's."""
    return [ENDING.sub("", word) for word in WORD.findall(text)]


def names(text: str) -> list[str]:
    """The capitalised phrases of a text after its first word, in order."""
    found: list[str] = []
    end = -1
    for position, word in enumerate(WORD.finditer(text)):
        token = word.group()
        if not (token[0].isupper() or (token[0].isdigit() and found and word.start() - end == 1)):
            continue
        if position == 0 and token.casefold() in FUNCTION_WORDS:
            continue
        if found and word.start() - end == 1:
            found[-1] += text[end : word.end()]
        else:
            found.append(token)
        end = word.end()
    bare = (ENDING.sub("", name) for name in found)
    return [name for name in bare if name.casefold() not in FUNCTION_WORDS]


def _widened(text: str, name: str) -> str:
    """A name with the content words that follow it: Orrin -> Orrin bridge repair."""
    after = text[text.index(name) + len(name) :]
    following = re.match(r"(?: [^\W\d_]+){0,3}", after)
    taken = []
    for word in (following.group() if following else "").split():
        if word.casefold() in FUNCTION_WORDS or word.endswith(("ed", "ing")):
            break
        taken.append(word)
    # A verb at the end of a question is no part of the name.
    if taken and not text[text.index(name) + len(name) :].startswith(" " + " ".join(taken) + " "):
        taken = taken[:-1] if len(taken) > 1 else taken if taken[-1][0].isupper() else []
    return " ".join([name, *taken])


def _phrases(text: str) -> list[str]:
    """The runs of content words in a text."""
    phrases: list[list[str]] = [[]]
    for word in WORD.findall(text):
        if word.casefold() in FUNCTION_WORDS:
            phrases.append([])
        else:
            phrases[-1].append(word)
    return [" ".join(phrase) for phrase in phrases if phrase]
