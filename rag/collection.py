"""Questions about the articles as a whole, and small talk: no reader can point at their answer.

Which articles there are, which of them mention something, what they say about something.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from index import Article, Index, Selection
from index.types import Range
from rag.context import is_heading, leans_on
from rag.extract import coverage, word_weights
from rag.retrieve import retrieve

TEXTS = r"(?:articles?|sources?|documents?|files?|texts?|papers?|pages?)"
OURS = r"(?:(?:all |any )?(?:of )?(?:the|my|your|our|these) |all )?"
SAY = r"(?:say|tell(?: us| me)?|write|report|know|state)(?: us| me)?"
ABOUT = r"(?:about|on|of|regarding|concerning)"
GREETING = re.compile(
    r"(?:hi|hello|hey|hallo|good (?:morning|day|afternoon|evening))(?: there| footnote)?\W*", re.I
)
THANKS = re.compile(
    r"(?:ok(?:ay)?,? |great,? )?(?:many )?(?:thanks?|thank you|thx|cheers)(?: (?:a lot|very much|so"
    r" much|you))?\W*|(?:ok(?:ay)?|great|good|nice|bye|goodbye)\W*",
    re.IGNORECASE,
)
ABILITY = re.compile(
    r"(?:help|who are you|what are you|what can (?:you|i) (?:do|ask)(?: (?:you|here|for me))?"
    r"|how do(?:es)? (?:you|this page) work|what is this|what do you do)\W*",
    re.IGNORECASE,
)
LIST = re.compile(
    rf"(?:(?:which|what) {TEXTS} (?:do you (?:have|know)|are (?:there|here|indexed)|can you read"
    rf"|have you(?: got| read)?)|(?:please )?(?:list|show(?: me)?|name) {OURS}{TEXTS}"
    rf"(?: titles)?)\W*",
    re.IGNORECASE,
)
MENTION = re.compile(
    rf"(?:(?:which|what) (?:of {OURS})?{TEXTS} (?:mentions?|discuss(?:es)?|names?|contains?|covers?"
    r"|deals? with|treats?|refers? to|(?:is|are|talks?|speaks?|writes?) (?:about|on|of))"
    rf"|(?:please )?(?:list|show(?: me)?|find) {OURS}{TEXTS} (?:{ABOUT}|(?:that|which) \w+(?: about"
    r"| to| with| of)?))\s+(?P<topic>.+)",
    re.IGNORECASE,
)
SUMMARY = re.compile(
    rf"(?:(?:and )?what (?:do|does|did) {OURS}{TEXTS} {SAY} {ABOUT}"
    rf"|what is (?:said|known|written|reported) {ABOUT}"
    rf"|(?:please )?(?:summari[sz]e|sum up)(?: for me)?(?: what {OURS}{TEXTS} {SAY} {ABOUT})?"
    r"|(?:please )?(?:give(?: me)? )?(?:an? )?(?:short |brief )?(?:summary|overview)"
    r" (?:of|about|on)"
    rf"|(?:please )?tell me (?:something |all |everything )?about)\s+(?P<topic>.+)",
    re.IGNORECASE,
)
EVERYTHING = re.compile(rf"{OURS}(?:{TEXTS}|everything|all|collection)\W*", re.IGNORECASE)
FRAME = re.compile(rf"^(?:{OURS}{TEXTS} {ABOUT} |the )", re.IGNORECASE)

HELLO = "Hello. Ask me something that your {articles} may answer."
WELCOME = "You are welcome."
ABILITIES = (
    "I answer questions from your {articles} in their own words, and give the place of every "
    "sentence. Ask who, when, where, how many, how or why; what the articles say about something; "
    "or which of them mention it."
)
LISTED = 20  # Articles named in one answer.
SUMMARISED = 5  # Articles of which an answer gives the central sentences.
SENTENCES_EACH = 2
PASSAGES = 30  # Looked at for a summary.
LEAST_COVERAGE = 0.6  # Share of the topic's words in a passage that is about it.
LEAST_WORDS = 6  # A shorter sentence says too little to stand for an article.
CANDIDATES = 24  # Sentences of an article that are compared; embedding each costs milliseconds.
WORDS_WEIGHT = 0.3  # Of the topic's words in a sentence, against its cosine to the topic.
ALIKE = 0.85  # Cosine of two sentences that say the same.


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of the collection: kind is list, mention or summary; no topic means all."""

    kind: str
    topic: str = ""


Part = tuple[Article, tuple[Range, ...]]
"""An article with the sentences of it that an answer quotes."""


def small_talk(question: str, index: Index, only: str | Selection | None = None) -> str | None:
    """A fitting reply to what is no question about the articles, or None."""
    for pattern, reply in ((GREETING, HELLO), (THANKS, WELCOME), (ABILITY, ABILITIES)):
        if pattern.fullmatch(question.strip()):
            count = index.manifest.articles if only is None else len(index.files(only))
            return reply.format(articles="article" if count == 1 else f"{count:,} articles")
    return None


def request(question: str) -> Request | None:
    """What a question asks of the collection, or None when it asks for an answer in it."""
    asked = " ".join(question.split()).rstrip(" ?!.")
    if LIST.fullmatch(asked):
        return Request("list")
    for kind, pattern in (("mention", MENTION), ("summary", SUMMARY)):
        found = pattern.fullmatch(asked)
        if found:
            topic = FRAME.sub("", found["topic"])
            return Request(kind, "" if EVERYTHING.fullmatch(found["topic"]) else topic)
    return None


def respond(
    asked: Request, index: Index, only: str | Selection | None = None
) -> tuple[str, list[Part]]:
    """A sentence of ours that begins the answer, and what is quoted; nothing when there is none."""
    if asked.kind == "mention" and asked.topic:
        return _mentions(asked.topic, index, only)
    if asked.kind == "summary" and asked.topic:
        return "", _summary(asked.topic, index, only)
    files = index.files(only)
    shown = files[: SUMMARISED if asked.kind == "summary" else LISTED]
    articles = [article for file in shown if (article := index.article(file))]
    lead = f"There {_counted(len(files))}."
    if len(shown) < len(files):
        lead = f"There {_counted(len(files))}; the first {len(shown)} are:"
    if asked.kind == "summary":
        return lead, [(one, _central(one, one.sentences, None, index)) for one in articles]
    return lead, [(one, _first_line(one)) for one in articles]


def _counted(count: int) -> str:
    return "is one article" if count == 1 else f"are {count:,} articles"


def _first_line(article: Article) -> tuple[Range, ...]:
    """The title where it stands in the article, or its first sentence."""
    titles = [h for h in article.headings if h.text == article.title]
    return ((titles[0].start, titles[0].end),) if titles else article.sentences[:1]


def _mentions(topic: str, index: Index, only: str | Selection | None) -> tuple[str, list[Part]]:
    """Every article in which all words of a topic stand in one passage, the best first."""
    words = set(index.stems(topic))
    chosen = None if only is None else index.chunk_ids(only)
    best: dict[str, tuple[Article, Range]] = {}
    for id, _ in index.match(topic, max(1, index.manifest.chunks), chosen, every_word=True):
        chunk = index.chunk(id)
        source = index.originals.get(chunk.file, chunk.file)  # Copies count once.
        article = None if source in best else index.article(chunk.file)
        if article is None or not words <= set(index.stems(chunk.text)):
            continue
        inside = [one for one in article.sentences if one[0] < chunk.end and one[1] > chunk.start]
        found = max(inside, key=lambda one: len(words & set(index.stems(article.shown(*one)))))
        best[source] = article, found
    if not words or not best:
        return "", []
    verb = "article mentions" if len(best) == 1 else "articles mention"
    lead = f"{len(best):,} {verb} “{topic}”"
    lead += f"; the first {LISTED} are:" if len(best) > LISTED else ":"
    return lead, [(article, (found,)) for article, found in list(best.values())[:LISTED]]


def _summary(topic: str, index: Index, only: str | Selection | None) -> list[Part]:
    """The central sentences about a topic, of each article that has passages about it."""
    weights = word_weights(topic, index)
    by_file: dict[str, list[Range]] = {}
    articles: dict[str, Article] = {}
    for hit in retrieve(topic, index, limit=PASSAGES, only=only):
        article = articles.get(hit.chunk.file) or index.article(hit.chunk.file)
        if article is None:
            continue
        articles[hit.chunk.file] = article
        # Vectors always find something nearest; its own words say whether it is the topic.
        if coverage(f"{article.title} {hit.chunk.text}", weights, index) < LEAST_COVERAGE:
            continue
        by_file.setdefault(hit.chunk.file, []).extend(
            one for one in article.sentences if one[0] < hit.chunk.end and one[1] > hit.chunk.start
        )
    return [
        (articles[file], quoted)
        for file, found in list(by_file.items())[:SUMMARISED]
        if (quoted := _central(articles[file], sorted(set(found)), topic, index))
    ]


def _central(
    article: Article, sentences: Sequence[Range], topic: str | None, index: Index
) -> tuple[Range, ...]:
    """The sentences nearest to a topic, or to what they all have in common; in their order."""
    standing = [
        one
        for one in sentences
        if not is_heading(article, one[0])
        and not leans_on(article, one)
        and len(article.text[slice(*one)].split()) >= LEAST_WORDS
    ][:CANDIDATES]
    if not standing:
        return tuple(one for one in sentences if not is_heading(article, one[0]))[:1]
    vectors = index.embedder.passages(
        [f"{article.title}\n{article.shown(*one)}" for one in standing]
    )
    if topic is None:
        scores = vectors @ vectors.mean(axis=0)
    else:
        weights = word_weights(topic, index)
        shares = [coverage(article.shown(*one), weights, index) for one in standing]
        scores = vectors @ index.embedder.question(topic)[0] + WORDS_WEIGHT * np.array(shares)
    chosen: list[int] = []
    for number in np.argsort(-scores, kind="stable"):
        if all(float(vectors[number] @ vectors[other]) < ALIKE for other in chosen):
            chosen.append(int(number))
        if len(chosen) == SENTENCES_EACH:
            break
    return tuple(standing[number] for number in sorted(chosen))
