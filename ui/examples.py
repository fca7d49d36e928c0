"""Questions for the empty page, made from the articles' own sentences.

A sentence like "The tower was designed by Ann Lee" turns into "Who designed the tower?". Whether
the articles really answer it is for the caller to say; nothing else is shown.
"""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from index import Article, Index
from index.words import stems
from rag.kinds import TIME_WORD
from rag.rewrite import names
from rag.values import months

WANTED = 4
CANDIDATES = 24  # Tried at most; each costs a search.
LEAST_DESCRIPTION = 4  # Words of a subject that names no name.
WANTED_FACTS = 2  # Before a topic is offered.
TOPICS = 2
PATIENCE = 2.5  # Seconds for all of them.
FOLLOW_UPS = 3
FOLLOW_UPS_TRIED = 8
FOLLOW_UP_PATIENCE = 1.0  # Seconds.
ARTICLES = 60  # Looked at for candidates, spread over the index.
# A subject must name something: "this" and "each" mean nothing without their article.
SUBJECT = (
    r"(?P<subject>(?!(?:It|He|She|They|We|I|You|This|That|These|Those|There|Here|Its|His|Her|Their"
    r"|Our|Each|All|Some|Both|One|An?|In|On|At|By|When|What|For|From)\b)"
    r"[A-Z](?:(?! (?:is|are|was|were|has|have|had|and|which|who) )[\w'’ -]){2,44}?)"
)
PATTERNS = tuple(
    (re.compile(SUBJECT + pattern), question)
    for pattern, question in (
        (r" (?:was|were) (?P<verb>designed|written|painted|invented|discovered|composed) by ",
         "Who {verb} {subject}?"),
        (r" was (?P<verb>founded|built|opened|first lit|launched|established|completed|signed)"
         r" (?:in|on) .*\d{4}", "When was {subject} {verb}?"),
        (r" is (?:about )?[\d.,]+ (?:kilo)?(?:met(?:re|er)s|feet) (?P<verb>tall|long|wide|deep)\b",
         "How {verb} is {subject}?"),
        (r" (?P<verb>weigh)s (?:about )?[\d.,]+ ", "How much does {subject} {verb}?"),
        (r" has (?:about )?\d[\d,]* (?P<verb>[a-z]+s)\b", "How many {verb} does {subject} have?"),
    )
)  # fmt: skip


def example_questions(index: Index, is_answered: Callable[[str], bool]) -> list[str]:
    """A few questions, from different articles, for which `is_answered` is true."""
    until = time.perf_counter() + PATIENCE
    found: list[str] = []
    for question in islice(_candidates(index), CANDIDATES):
        if time.perf_counter() > until or len(found) == WANTED:
            break
        if is_answered(question):
            found.append(question)
    return found


def follow_ups(
    articles: Sequence[Article], asked: str, is_answered: Callable[[str], bool]
) -> list[str]:
    """Questions to go on with: what else these articles answer, a topic last.

    Headings and names are the articles' own. Nothing that shares most words with what was asked.
    """
    until = time.perf_counter() + FOLLOW_UP_PATIENCE
    known = set(stems(asked))
    facts = [question for article in articles for _, question in sorted(_questions(article))]
    topics = [
        f"What do the articles say about {name}?"
        for article in articles
        for name in _common_names([article])
    ]
    found: list[str] = []
    for question in dict.fromkeys([*facts[:FOLLOW_UPS_TRIED], *topics]):
        if time.perf_counter() > until or len(found) == FOLLOW_UPS:
            break
        words = set(stems(question))
        if len(words & known) * 2 < len(words) and is_answered(question):
            found.append(question)
            known |= words
    return found


def _candidates(index: Index) -> Iterator[str]:
    """Questions that name a name first, of those the best one of every article, then topics."""
    files = index.files()
    found = (index.article(file) for file in files[:: max(1, len(files) // ARTICLES)])
    articles = [article for article in found if article]
    ranked = sorted(
        (unnamed, place, question)
        for article in articles
        for place, (unnamed, question) in enumerate(_questions(article))
    )
    facts = dict.fromkeys(question for _, _, question in ranked)
    return iter(
        [*islice(facts, WANTED_FACTS), *_topics(articles), *islice(facts, WANTED_FACTS, None)]
    )


def _topics(articles: Sequence[Article]) -> list[str]:
    """Questions about the names that stand in most articles."""
    names_shared = _common_names(articles, least=2)
    return [f"What do the articles say about {name}?" for name in names_shared[:TOPICS]]


def _common_names(articles: Sequence[Article], least: int = 1) -> list[str]:
    """The names in at least `least` articles, those in most of them first."""
    counts = Counter(
        name
        for article in articles
        for name in {
            name
            for start, end in article.sentences
            for name in names(article.shown(start, end))
            if len(name) > 3 and not months(name) and not TIME_WORD.search(name)
        }
    )
    return [
        name for count, name in sorted((-n, name) for name, n in counts.items()) if -count >= least
    ]


def _questions(article: Article) -> Iterator[tuple[bool, str]]:
    """The questions that an article's sentences answer, and whether they name no name."""
    for heading in article.headings:
        if heading.text.endswith("?") and len(heading.text.split()) > 4:
            yield True, heading.text
    for start, end in article.sentences:
        sentence = article.shown(start, end)
        for pattern, question in PATTERNS:
            match = pattern.match(sentence)
            if match:
                subject = match["subject"]
                if subject.startswith("The "):
                    subject = "the " + subject[4:]
                unnamed = not any(word[:1].isupper() for word in subject.split())
                if unnamed and len(subject.split()) < LEAST_DESCRIPTION:
                    continue  # "The line" is clear to nobody who has not read the article.
                yield unnamed, question.format(subject=subject, verb=match["verb"])
