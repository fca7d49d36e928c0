"""A conversation as a file to keep, and a quote with its reference. Pure.

Every quote is there word for word. Articles, file names and questions are hostile until escaped, in
Markdown, in HTML and in BibTeX alike; the HTML loads nothing and runs nothing.
"""

import hashlib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape as escape_html
from typing import Any

from index.types import FootnoteError
from rag.types import Citation
from ui.conversations import Exchange
from ui.render import Data, escape, place
from ui.terminal import NOWHERE, clean

FORMATS = ("md", "html", "json")
CITED = re.compile(r"(.*?)((?: \[\d{1,4}\])+)(?= |$)", re.DOTALL)
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
DISAGREE = "Your sources disagree"
WRITTEN = "Written by {model}; every sentence was checked against the articles."
BIBTEX = {
    # BibTeX counts braces, escaped or not: these are words for them.
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    **{char: f"\\{char}" for char in "$&#_%"},
}
STYLE = """
:root { color-scheme: light dark; --quiet: light-dark(#5c6370, #a3a9b3);
  --line: light-dark(#d9dce1, #3a3f47); --lit: light-dark(#fff3c4, #4a3f14);
  --link: light-dark(#0b57d0, #8ab4f8); }
body { max-width: 44rem; margin: 2.5rem auto; padding: 0 1.25rem; overflow-wrap: anywhere;
  font: 1rem/1.6 system-ui, sans-serif; background: light-dark(#fff, #16181c);
  color: light-dark(#1c1e21, #e6e8eb); }
h1 { font-size: 1.6rem; line-height: 1.25; }
h2 { font-size: 1.2rem; margin-top: 2.5rem; padding-top: 1.5rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; }
a { color: var(--link); }
.short { font-size: 1.25rem; font-weight: 600; }
.quiet { color: var(--quiet); font-size: .875rem; }
.doubted { text-decoration: line-through; }
blockquote { margin: .5rem 0 1rem; padding: .5rem 1rem; background: var(--lit);
  border-radius: .375rem; white-space: pre-line; }
li:target blockquote { outline: 2px solid var(--link); }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1 dir="auto">{title}</h1>
{body}
</main>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of an answer, the citations after it, and whether no passage bears it."""

    words: str
    numbers: tuple[int, ...] = ()
    doubted: bool = False


def export(title: str, exchanges: Sequence[Exchange], format: str) -> str:
    """The conversation with every quote and its reference, as text that UTF-8 can hold.

    Raises FootnoteError for a format that is none of `FORMATS`.
    """
    if format == "md":
        parts = [f"# {_markdown(title)}", *(_exchange_markdown(one) for one in exchanges)]
        return "\n\n".join(parts) + "\n"
    if format == "html":
        body = "\n".join(
            _exchange_html(one, f"source-{number}") for number, one in enumerate(exchanges, 1)
        )
        return PAGE.format(title=_html(title), style=STYLE, body=body)
    if format == "json":
        names = ("question", "searched_for", "asked", "answer")
        listed = [{name: getattr(one, name) for name in names} for one in exchanges]
        text = json.dumps({"title": title, "exchanges": listed}, ensure_ascii=False, indent=2)
        # Halves of characters have no bytes in UTF-8; written so, they are what JSON writes.
        return text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n"
    raise FootnoteError(f"A conversation is exported as one of: {', '.join(FORMATS)}.")


def references(citation: Mapping[str, Any]) -> dict[str, str]:
    """A quote with its reference as "plain", "markdown" and "bibtex" text.

    `citation` is what `Citation.as_json` gives.
    """
    cited = _citation(citation)
    return {
        "plain": f"“{_plain(cited.quote)}”\n— {_where(cited)}",
        "markdown": f"{_block(cited.quote)}\n>\n> — {_markdown(_where(cited))}",
        "bibtex": _bibtex(cited),
    }


def paragraphs(answer: Data) -> list[list[Said]]:
    """The sentences of an answer as `Answer.as_json` gives it."""
    doubted = sorted(filter(None, answer.get("unsupported") or ()), key=len, reverse=True)
    text = answer.get("answer") or ""
    return [list(_said(part, doubted)) for part in text.split("\n\n") if part.strip()]


def _said(text: str, doubted: list[str]) -> Iterator[Said]:
    # Sentence by sentence from the left: a doubted one, which is said once, is known by its words;
    # any other ends with its numbers. An article's own "[2]" mostly stands close to a word.
    while text:
        words = next((one for one in doubted if f"{text} ".startswith(f"{one} ")), None)
        cited = None if words else CITED.match(text)
        if words:
            doubted.remove(words)
            yield Said(words, doubted=True)
        elif cited:
            yield Said(cited[1], tuple(map(int, re.findall(r"\d+", cited[2]))))
        else:
            yield Said(text)
        text = text[len(words or (cited[0] if cited else text)) :].lstrip(" ")


def _exchange_markdown(exchange: Exchange) -> str:
    answer = exchange.answer
    parts = [f"## {_markdown(exchange.question)}"]
    parts += [f"*{_markdown(note)}*" for note in _notes(exchange)]
    if answer.get("conflict"):
        parts.append(f"**{DISAGREE}:**")
        values = (
            f"- **{_markdown(value['value'])}** {_numbers(value['citations'], escape)}"
            for value in answer["conflict"]
        )
        parts.append("\n".join(values))
    elif answer.get("short_answer"):
        parts.append(f"**{_markdown(answer['short_answer'])}**")
    for paragraph in _told(answer):
        parts.append(
            " ".join(
                f"~~{_markdown(said.words)}~~ *({NOWHERE})*"
                if said.doubted
                else f"{_markdown(said.words)} {_numbers(said.numbers, escape)}".rstrip()
                for said in paragraph
            )
        )
    heading, cited = _sources(answer)
    if cited:
        parts.append(f"### {heading}")
    for citation in cited:
        indent = " " * len(f"{citation.number}. ")
        quote = "\n".join(indent + line for line in _block(citation.quote).split("\n"))
        parts.append(f"{citation.number}. {_markdown(_where(citation))}\n\n{quote}")
    return "\n\n".join(parts)


def _exchange_html(exchange: Exchange, anchor: str) -> str:
    answer = exchange.answer
    heading, cited = _sources(answer)
    known = {citation.number for citation in cited}

    def chip(mark: str) -> str:
        number = int(mark[1:-1])
        return f'<a href="#{anchor}-{number}">{mark}</a>' if number in known else mark

    lines = [f'<h2 dir="auto">{_html(exchange.question)}</h2>']
    lines += [f'<p class="quiet" dir="auto">{_html(note)}</p>' for note in _notes(exchange)]
    if answer.get("conflict"):
        lines.append(f"<p><strong>{DISAGREE}:</strong></p>\n<ul>")
        lines += [
            f'<li dir="auto"><strong>{_html(value["value"])}</strong> '
            f"{_numbers(value['citations'], chip)}</li>"
            for value in answer["conflict"]
        ]
        lines.append("</ul>")
    elif answer.get("short_answer"):
        lines.append(f'<p class="short" dir="auto">{_html(answer["short_answer"])}</p>')
    for paragraph in _told(answer):
        told = " ".join(
            f'<span class="doubted">{_html(said.words)}</span> <em>({NOWHERE})</em>'
            if said.doubted
            else f"{_html(said.words)} {_numbers(said.numbers, chip)}".rstrip()
            for said in paragraph
        )
        lines.append(f'<p dir="auto">{told}</p>')
    if cited:
        lines.append(f"<h3>{heading}</h3>\n<ol>")
        lines += [
            f'<li id="{anchor}-{citation.number}" value="{citation.number}">'
            f'<span class="quiet" dir="auto">{_html(_where(citation))}</span>'
            f'<blockquote dir="auto">{_html(citation.quote)}</blockquote></li>'
            for citation in cited
        ]
        lines.append("</ol>")
    return "\n".join(("<section>", *lines, "</section>"))


def _told(answer: Data) -> list[list[Said]]:
    """The paragraphs of an answer, less that which says what the heading of a conflict has said."""
    told = paragraphs(answer)
    if not answer.get("conflict"):
        return told
    return [part for part in told if any(said.numbers for said in part)]


def _notes(exchange: Exchange) -> Iterator[str]:
    """What is to be known of an answer: when, what was searched for, how it was made."""
    yield f"Asked {exchange.asked}"
    if exchange.searched_for.strip() not in ("", exchange.question.strip()):
        yield f"Searched for: {exchange.searched_for}"
    if exchange.answer.get("mode") == "llm":
        yield WRITTEN.format(model=exchange.answer.get("model"))
    if exchange.answer.get("note"):
        yield exchange.answer["note"]


def _sources(answer: Data) -> tuple[str, list[Citation]]:
    """What a list of passages is called, and they."""
    cited = answer.get("citations")
    listed = cited or answer.get("nearest") or ()
    return "Sources" if cited else "Nearest passages", [_citation(one) for one in listed]


def _citation(values: Mapping[str, Any]) -> Citation:
    """A citation from what `Citation.as_json` gave."""
    first, last = values.get("lines") or (0, 0)
    return Citation(
        number=int(values["number"]),
        id=values["id"],
        file=values["file"],
        title=values.get("title") or "",
        start=values.get("start") or 0,
        end=values.get("end") or 0,
        lines=(int(first), int(last)) if first else None,
        page=values.get("page"),
        heading=values.get("heading"),
        quote=values["quote"],
        date=values.get("date") or "",
        author=values.get("author") or "",
    )


def _where(cited: Citation) -> str:
    """Author, title, date, file and place on one line, as far as they are known."""
    known = (cited.author, cited.title, cited.date, cited.file, place(cited))
    # No title may reverse the words that follow it.
    return clean(_plain(" ".join(", ".join(filter(None, known)).split())))


def _numbers(numbers: Iterable[int], shown: Callable[[str], str]) -> str:
    return " ".join(shown(f"[{int(number)}]") for number in numbers)


def _block(quote: str) -> str:
    """A quote as a Markdown block, its lines kept."""
    # Two spaces at its end keep a line from running on into the next.
    return "\n".join(f"> {_markdown(line)}  " for line in quote.split("\n")).rstrip()


def _bibtex(cited: Citation) -> str:
    author = _tex(cited.author)
    if "," in author:
        author = f"{{{author}}}"  # BibTeX would take commas apart as last and first names.
    note = ", ".join(filter(None, (cited.file, place(cited))))
    year = re.match(r"\d{4}(?!\d)", cited.date)
    fields = {
        "title": _tex(cited.title),
        "author": author,
        "year": year[0] if year else "",
        "date": _tex(cited.date),
        "note": _tex(note),
        "annote": _tex(cited.quote),
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@misc{{{_key(cited)},\n" + ",\n".join(lines) + "\n}"


def _key(cited: Citation) -> str:
    """A name for the entry: letters of the citation's id, and what tells it from any other."""
    plain = unicodedata.normalize("NFKD", cited.id).encode("ascii", "ignore").decode()
    named = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:40]
    digest = hashlib.sha256(cited.id.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{named or 'source'}-{digest}"


def _tex(text: str) -> str:
    return "".join(BIBTEX.get(char, char) for char in " ".join(_plain(text).split()))


def _plain(text: str) -> str:
    """Text that UTF-8 can hold, control characters made visible."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.encode("utf-8", "replace").decode())


def _markdown(text: str) -> str:
    return escape(_plain(text))


def _html(text: str) -> str:
    return escape_html(_plain(text))
