"""What each command of `rag` does: prints, and returns the exit code.

Each imports what it needs when it runs, so that asking does not wait for the browser's libraries.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag.types import LLM
    from ui.terminal import Piece

ANSWERED, NOT_IN_ARTICLES, FAILED = 0, 1, 2
NO_PASSAGE = "No passage fits: try fewer words, or no quotes."


def fail(sentence: str) -> int:
    """Print one line on stderr and return the exit code of an error."""
    from ui.terminal import clean

    print(f"rag: {' '.join(clean(sentence).split())}", file=sys.stderr)
    return FAILED


def chosen_llm(chosen: argparse.Namespace) -> "LLM | None":
    """The language model that the flags name, or None. Raises LLMUnusable."""
    from index.types import FootnoteError

    if chosen.llm is None:
        if chosen.llm_url or chosen.rewrite:
            raise FootnoteError("Name the language model too, with --llm.")
        return None
    from rag.llm import load_llm

    return load_llm(chosen.llm, chosen.llm_url)


def run_ask(chosen: argparse.Namespace) -> int:
    """Answer one question, or a file of them."""
    from rag import ask, open_index

    if chosen.batch is not None:
        return ask_batch(chosen)
    question = " ".join(chosen.question)
    index = open_index(chosen.index)
    llm = chosen_llm(chosen)
    *_, answer = ask(question, index, only=chosen.only, passages=chosen.top_k, llm=llm)
    if chosen.json:
        print_json(answer.as_json())
    else:
        from ui.terminal import answer_pieces

        print_pieces(answer_pieces(answer))
    return ANSWERED if answer.answered else NOT_IN_ARTICLES


def ask_batch(chosen: argparse.Namespace) -> int:
    """Answer JSON lines with JSON lines; a line that cannot be asked says why under `error`."""
    from rag import ask, open_index
    from rag.answer import QuestionUnusable, replay
    from rag.types import Answer

    lines = read_lines(chosen.batch)
    index = open_index(chosen.index)
    options = {
        "only": chosen.only,
        "passages": chosen.top_k,
        "llm": chosen_llm(chosen),
        "rewrite": bool(chosen.rewrite),
    }
    answered = False
    for line in lines:
        question, id = str(line.get("question", "")), line.get("id")
        earlier = [str(one) for one in line.get("history") or () if str(one).strip()]
        try:
            history = replay(earlier, index)
            *_, answer = ask(question, index, history=history, **options)
        except QuestionUnusable as error:
            print_json({**Answer(question, "", answered=False).as_json(id), "error": str(error)})
            continue
        answered = answered or answer.answered
        print_json(answer.as_json(id))
    return ANSWERED if answered else NOT_IN_ARTICLES


def read_lines(file: str) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines, or of stdin for `-`. Raises FootnoteError."""
    from index.types import FootnoteError

    text = sys.stdin.read() if file == "-" else Path(file).read_text("utf-8-sig", errors="replace")
    lines = []
    # Not splitlines(): JSON text may hold U+2028, which is no line end there.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if not isinstance(values, dict) or not isinstance(values.get("history") or [], list):
            raise FootnoteError(
                f'{file}, line {number}: not a JSON object like {{"id": 1, "question": "..."}}.'
            )
        lines.append(values)
    if not lines:
        raise FootnoteError(f"{file} holds no questions.")
    return lines


def run_chat(chosen: argparse.Namespace) -> int:
    """A conversation in the terminal."""
    from index.types import FootnoteError
    from rag import ask, open_index
    from rag.answer import turn
    from rag.types import Turn
    from ui.terminal import answer_pieces

    index = open_index(chosen.index)
    llm = chosen_llm(chosen)
    if sys.stdin.isatty():
        import readline  # noqa: F401  # Gives input() its line editing and history.

        print(f"{index.manifest.articles} articles. Ask; an empty line or Ctrl-D ends.")
    history: list[Turn] = []
    while True:
        try:
            question = input("> " if sys.stdin.isatty() else "")
        except EOFError:
            break
        if not question.strip():
            if sys.stdin.isatty():
                break
            continue
        try:
            rewrite = bool(chosen.rewrite)
            *_, answer = ask(question, index, history=history, llm=llm, rewrite=rewrite)
        except FootnoteError as error:
            fail(str(error))
            continue
        history.append(turn(answer))
        print_pieces(answer_pieces(answer))
    return ANSWERED


def run_search(chosen: argparse.Namespace) -> int:
    """List passages."""
    from rag import open_index, search
    from rag.answer import QuestionUnusable
    from rag.cite import citation_id

    queries: list[tuple[Any, str]] = [(None, " ".join(chosen.query))]
    if chosen.batch is not None:
        lines = read_lines(chosen.batch)
        queries = [
            (line.get("id"), str(line.get("question") or line.get("query") or "")) for line in lines
        ]
    index = open_index(chosen.index)
    found = False
    for id, query in queries:
        try:
            hits = search(query, index, limit=chosen.top_k, only=chosen.only)
        except QuestionUnusable as error:
            if chosen.batch is None:
                raise
            print_json({"id": id, "query": query, "hits": [], "error": str(error)})
            continue
        found = found or bool(hits)
        articles = {file: index.article(file) for file in {hit.chunk.file for hit in hits}}
        ids = [
            citation_id(article, hit.chunk.start, hit.chunk.end)
            for hit in hits
            if (article := articles[hit.chunk.file])
        ]
        if chosen.json or chosen.batch is not None:
            listed = [
                {
                    "rank": rank,
                    "score": round(hit.score, 4),
                    "id": hit_id,
                    "file": hit.chunk.file,
                    "title": hit.chunk.title,
                    "start": hit.chunk.start,
                    "end": hit.chunk.end,
                    "text": hit.chunk.text,
                    "cosine": round(hit.cosine, 4),
                    "bm25": round(hit.bm25, 4),
                }
                for rank, (hit, hit_id) in enumerate(zip(hits, ids, strict=True), 1)
            ]
            print_json({"id": id, "query": query, "hits": listed})
        else:
            from ui.terminal import hit_pieces

            print_pieces(hit_pieces(hits, ids) if hits else [(NO_PASSAGE, "")])
    return ANSWERED if found else NOT_IN_ARTICLES


def run_show(chosen: argparse.Namespace) -> int:
    """Print a passage; on a terminal with its surroundings."""
    from rag import open_index
    from rag.cite import locate

    article, (start, end) = locate(chosen.id, open_index(chosen.index))
    if chosen.json:
        print_json(
            {
                "id": chosen.id,
                "file": article.file,
                "title": article.title,
                "start": start,
                "end": end,
                "lines": article.lines(start, end),
                "heading": article.heading(start),
                "text": article.text[start:end],
            }
        )
    elif sys.stdout.isatty():
        from ui.terminal import article_pieces, surroundings

        print_pieces(article_pieces(article, (start, end), surroundings(article, start, end)))
    else:
        from ui.terminal import clean

        print(clean(article.text[start:end]))
    return ANSWERED


def run_status(chosen: argparse.Namespace) -> int:
    """Tell what is in the index."""
    from ui.status import describe, status_lines

    described = describe(chosen.index)
    if chosen.json:
        print_json(described)
    else:
        for line in status_lines(described):
            print(line)
    return ANSWERED


def run_ui(chosen: argparse.Namespace) -> int:
    """Serve the browser chat."""
    from index.manifest import current_build
    from index.types import FootnoteError, IndexUnusable, NothingToIndex

    name, _, password = (chosen.auth or "").partition(":")
    if chosen.auth and not (name and password):
        raise FootnoteError("--auth wants a name and a password, as in --auth ada:secret.")
    llm = chosen_llm(chosen)
    try:
        current_build(chosen.index)
    except IndexUnusable:
        print("No index yet: building it.", flush=True)
        from ui.indexing import build_index

        try:
            report = build_index([], chosen.index)
            print(f"{report.articles} articles, {report.chunks} passages.", flush=True)
        except NothingToIndex as error:
            # The page can take articles, and says that there are none.
            print(f"{error} Or add articles in the library of the page.", flush=True)
    print("Starting the browser chat …", flush=True)
    from ui.web import serve

    serve(
        chosen.index,
        host=chosen.host,
        port=chosen.port,
        auth=(name, password) if chosen.auth else None,
        llm=llm,
        rewrite=bool(chosen.rewrite),
        ready=lambda url: print(f"Footnote answers at {url} (Ctrl-C ends)", flush=True),
    )
    # All is closed. A thread of Gradio may be inside a model still, and Python, ending under it,
    # would abort.
    sys.stdout.flush()
    os._exit(ANSWERED)


# --- Printing ---------------------------------------------------------------------------------


def print_json(values: object) -> None:
    """One object on one line."""
    print(json.dumps(values, ensure_ascii=False), flush=True)


def print_pieces(pieces: "Iterable[Piece]") -> None:
    """Styled text on a terminal, plain text in a pipe."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        print("".join(words for words, _ in pieces).rstrip("\n"))
        return
    from rich.console import Console
    from rich.text import Text

    text = Text()
    for words, style in pieces:
        text.append(words, style)
    text.rstrip()
    Console().print(text)
    print()
