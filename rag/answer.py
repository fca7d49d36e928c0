"""The story of answering, read top to bottom: rewrite, retrieve, read, decide, quote."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Lock
from time import perf_counter

from index import Index, Selection
from index.types import FootnoteError
from rag.cite import cite
from rag.collection import Part, request, respond, small_talk
from rag.compose import compose, short_answer
from rag.confidence import absent_words, log_odds, scattered_names, unknown_phrases
from rag.conflict import find_conflict
from rag.context import is_heading, is_item
from rag.extract import Finding, find
from rag.kinds import is_fact
from rag.query import Query, parse
from rag.reader import load_reader
from rag.retrieve import retrieve, retrieve_for_answer
from rag.rewrite import stand_alone
from rag.spelling import corrected
from rag.types import LLM, Answer, Citation, Hit, Reader, Sentence, Turn, Value
from rag.write import rewritten, write

LOADING = Lock()  # Held while models are loaded.
PASSAGES_READ = 10  # 15 or 20 gave no more right answers, and took longer.
LONGEST_QUESTION = 2000  # Characters; the models read about 1,000 of them.
NEAREST = 3
LONGEST_FACT = 2  # Sentences; where more are quoted, no few words of them are the answer.
CERTAIN = 99.0  # The confidence of what is no guess.
NO_CONFIDENCE = -99.0  # Of a question for which nothing was found at all.
WORDS_NAMED = 5  # Of those that stand in no article.
NOT_FOUND = "The articles do not answer this."
DISAGREE = "Your sources disagree."


class QuestionUnusable(FootnoteError):
    """The question is empty or too long to be one."""


def ask(
    question: str,
    index: Index,
    *,
    history: Sequence[Turn] = (),
    only: str | Selection | None = None,
    passages: int = PASSAGES_READ,
    reader: Reader | None = None,
    llm: LLM | None = None,
    rewrite: bool = False,
) -> Iterator[Answer]:
    """Answer a question from an index, as a stream of ever fuller answers.

    `history` are the turns before it, oldest first; `only` keeps to files that fit a pattern such
    as news/*.md, or a selection. A language model writes the answer, and each of its sentences is
    checked; with `rewrite` it also makes follow-ups stand alone. Raises QuestionUnusable, or
    ModelUnusable when the embedding model is missing.
    """
    started = perf_counter()
    question = whole_characters(question)
    check_question(question)
    reply = small_talk(question, index, only)
    if reply:
        yield Answer(question, question.strip(), True, ((Sentence(reply),),), confidence=CERTAIN)
        return
    history = [turn for turn in history if not small_talk(turn.question, index)]
    model_rewrite = rewritten(question, history, llm) if llm and rewrite else None
    searched_for = model_rewrite or stand_alone(question, history)
    asked = request(searched_for)
    if asked:
        answer = _about_the_collection(question, searched_for, respond(asked, index, only), index)
        if answer.answered:
            yield replace(answer, seconds=perf_counter() - started)
            return
    reader = reader or prepare(index)
    searched_for = corrected(searched_for, index)
    query = parse(searched_for)
    hits = retrieve_for_answer(query, index, limit=passages, only=only)
    findings = find(query.text, hits, index, reader)
    confidence = log_odds(query.text, findings, index) if findings else NO_CONFIDENCE
    answer = Answer(question, searched_for, answered=False, confidence=confidence)

    # Nothing fits: say so, and show what came nearest.
    if confidence <= 0:
        yield replace(
            answer,
            paragraphs=((Sentence(NOT_FOUND), *_absent(query, findings, index)),),
            nearest=tuple(
                cite(finding.article, *finding.sentence, number=number)
                for number, finding in enumerate(_nearest(findings), 1)
            ),
            seconds=perf_counter() - started,
        )
        return

    # Sources that give different values: each is quoted, none is chosen.
    values = find_conflict(query.text, findings, index) if is_fact(query.text) else []
    values.sort(key=lambda value: value.article.date, reverse=True)  # Newest first, undated last.
    if values:
        citations = _number([(value, *value.sentence, value.span) for value in values], index)
        yield replace(
            answer,
            answered=True,
            paragraphs=(
                (Sentence(DISAGREE),),
                *(
                    (Sentence(value.article.shown(*value.sentence), (citation.number,)),)
                    for value, citation in zip(values, citations, strict=True)
                ),
            ),
            citations=citations,
            conflict=tuple(
                Value(value.words, (citation.number,))
                for value, citation in zip(values, citations, strict=True)
            ),
            looked_at=_looked_at(findings, citations),
            seconds=perf_counter() - started,
        )
        return

    # One answer: the sentences that bear it; a language model may put them in words of its own.
    fuller = _quoted(query.text, findings, index, answer)
    if llm is not None:
        *_, extractive = fuller
        fuller = write(extractive, findings, index, llm, history)
    for answer in fuller:
        yield replace(answer, seconds=perf_counter() - started)


def _quoted(
    question: str, findings: Sequence[Finding], index: Index, answer: Answer
) -> Iterator[Answer]:
    """The answer in the articles' own sentences, in an order that reads well."""
    chosen = compose(question, findings, index)
    best = findings[0]
    citations = _number(
        [
            (finding, start, end, best.span if start <= best.span[0] < end else None)
            for finding, start, end in chosen
        ],
        index,
    )
    short = short_answer(question, best) if len(chosen) <= LONGEST_FACT else None
    answer = replace(answer, answered=True, short_answer=short)
    paragraphs: list[tuple[Sentence, ...]] = []
    file = None
    for count, ((finding, start, end), citation) in enumerate(
        zip(chosen, citations, strict=True), 1
    ):
        sentence = Sentence(finding.article.shown(start, end), (citation.number,))
        if finding.article.file == file and not is_item(finding.article, (start, end)):
            paragraphs[-1] = (*paragraphs[-1], sentence)
        else:
            paragraphs.append((sentence,))
        file = finding.article.file
        used = citations[:count]
        yield replace(
            answer,
            paragraphs=tuple(paragraphs),
            citations=used,
            looked_at=_looked_at(findings, used) if count == len(chosen) else (),
        )


def _about_the_collection(
    question: str, searched_for: str, response: tuple[str, list[Part]], index: Index
) -> Answer:
    """Each article with its title and what is quoted of it, one paragraph an article."""
    lead, parts = response
    paragraphs = [(Sentence(lead),)] if lead else []
    citations: list[Citation] = []
    for article, quoted in parts:
        paragraph = []
        for start, end in quoted:
            number = len(citations) + 1
            citations.append(cite(article, start, end, number=number, index=index))
            paragraph.append(Sentence(article.shown(start, end), (len(citations),)))
        # A quoted title, or opening words that stand for one, need no second one before them.
        opening = article.title.rstrip("…")
        titled = bool(paragraph) and not paragraph[0].text.startswith(opening)
        paragraphs.append((*((Sentence(f"{article.title}:"),) if titled else ()), *paragraph))
    return Answer(
        question,
        searched_for,
        answered=bool(parts),
        paragraphs=tuple(paragraphs),
        citations=tuple(citations),
        confidence=CERTAIN,
    )


def search(
    query: str,
    index: Index,
    *,
    only: str | Selection | None = None,
    limit: int = PASSAGES_READ,
    reader: Reader | None = None,
) -> list[Hit]:
    """The passages that fit a query best, best first.

    The first ten that retrieval finds are put in order by the reader. Scores fall with the rank
    and can be compared within one query only. Raises QuestionUnusable.
    """
    query = whole_characters(query)
    check_question(query)
    reader = reader or prepare(index)
    parsed = parse(query)
    hits = retrieve(parsed, index, limit=max(limit, PASSAGES_READ), only=only)
    findings = find(parsed.text, hits[:PASSAGES_READ], index, reader)
    ranked = [replace(finding.hit, score=finding.score) for finding in findings]
    lowest = ranked[-1].score if ranked else 0.0
    below = [replace(hit, score=lowest - 1 + hit.score) for hit in hits[PASSAGES_READ:]]
    return [*ranked, *below][:limit]


def whole_characters(text: str) -> str:
    """Text without halves of characters, which JSON may carry and the tokenizers refuse."""
    return text.encode("utf-8", "replace").decode("utf-8")


def prepare(index: Index) -> Reader:
    """The reader, loaded beside the embedding model of the index if this is the first question.

    onnxruntime opens a model without Python's lock, so that an idle second core is put to use.
    Whoever asks meanwhile waits for the same models. Raises ModelUnusable.
    """
    if load_reader.cache_info().currsize:
        return load_reader()
    with LOADING, ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load_reader)
        _ = index.embedder
        return loading.result()


def check_question(question: str) -> None:
    """Raise QuestionUnusable unless this can be asked."""
    if not question.strip():
        raise QuestionUnusable("The question is empty: type what you want to know.")
    if len(question) > LONGEST_QUESTION:
        raise QuestionUnusable(
            f"The question has {len(question):,} characters: ask in at most {LONGEST_QUESTION:,}."
        )


def turn(answer: Answer) -> Turn:
    """What a follow-up needs to know of an answer."""
    return Turn(answer.question, answer.searched_for, answer.short_answer)


def replay(questions: Sequence[str], index: Index) -> list[Turn]:
    """The turns of a conversation of which only the questions are known."""
    turns: list[Turn] = []
    for question in questions:
        *_, last = ask(question, index, history=turns)
        turns.append(turn(last))
    return turns


def _absent(query: Query, findings: Sequence[Finding], index: Index) -> tuple[Sentence, ...]:
    """Which words of a question stand nowhere: often they are why there is no answer."""
    found = absent_words(query.text, index)
    scattered = scattered_names(query.text, index)
    found += [name for name in scattered if not any(word in name for word in found)]
    # What a -word shuts out may have the phrase.
    if not query.without:
        found += unknown_phrases(query.text, findings)
    words = [f"“{word}”" for word in dict.fromkeys(found)][:WORDS_NAMED]
    if not words:
        return ()
    listed = " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))
    return (Sentence(f"None of them contains {listed}."),)


def _number(
    quotes: Sequence[tuple[Finding, int, int, tuple[int, int] | None]], index: Index
) -> tuple[Citation, ...]:
    return tuple(
        cite(finding.article, start, end, number=number, short=short, index=index)
        for number, (finding, start, end, short) in enumerate(quotes, 1)
    )


def _nearest(findings: Sequence[Finding]) -> list[Finding]:
    """The findings that retrieval likes best, no sentence twice."""
    by_retrieval = sorted(
        (one for one in findings if not is_heading(one.article, one.sentence[0])),
        key=lambda finding: -finding.hit.score,
    )
    unique = {(one.article.file, one.sentence): one for one in reversed(by_retrieval)}
    return sorted(unique.values(), key=lambda finding: -finding.hit.score)[:NEAREST]


def _looked_at(findings: Sequence[Finding], used: Sequence[Citation]) -> tuple[Citation, ...]:
    """The passages that were read and hold no cited sentence, numbered after those."""
    unused = [
        finding
        for finding in findings
        if not any(
            citation.file == finding.article.file
            and citation.start < finding.hit.chunk.end
            and citation.end > finding.hit.chunk.start
            for citation in used
        )
    ]
    return tuple(
        cite(finding.article, finding.hit.chunk.start, finding.hit.chunk.end, number=number)
        for number, finding in enumerate(unused, len(used) + 1)
    )
