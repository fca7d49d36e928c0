"""What a browser asks, and what it then shows: the nouns of the chat. Pure."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rag import Answer
from ui.conversations import Exchange
from ui.render import Data, escape

Message = dict[str, str]
"""A message of the chat: its role (user or assistant) and its Markdown content."""

PACE = 0.1  # Seconds between two steps of a stream: drawing more often slows long chats down.
SHOWN_EXCHANGES = 100  # Of a long conversation; the others are kept, and saved with it.


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a browser sends it: by whom, in which conversation, of which articles.

    `number` is set when an earlier question is asked again: it and all after it are replaced.
    """

    question: object
    owner: str = ""
    conversation: object = ""
    only: object = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Screen:
    """What the page shows at one moment. `None` leaves that part of the page as it is.

    `draft` is the text in the question box, `note` a sentence above it.
    """

    messages: list[Message]
    conversation: str = ""
    sources: Data | None = None
    draft: str | None = None
    note: str = ""
    running: bool = False


def paced(answers: Iterable[Answer], pace: float = PACE) -> Iterator[Answer]:
    """A stream thinned out to one answer in `pace` seconds; the last one always comes."""
    shown_at = float("-inf")
    held: Answer | None = None
    for answer in answers:
        held = answer
        if time.perf_counter() - shown_at >= pace:
            yield answer
            held, shown_at = None, time.perf_counter()
    if held is not None:
        yield held


def messages_of(exchanges: list[Exchange]) -> list[Message]:
    """A conversation as the chat shows it: its last exchanges, each a question and an answer."""
    messages: list[Message] = []
    for exchange in exchanges[-SHOWN_EXCHANGES:]:
        messages.append({"role": "user", "content": escape_lines(exchange.question)})
        messages.append(said(exchange.markdown))
    return messages


def escape_lines(text: str) -> str:
    """A question as Markdown, its own lines kept."""
    return "\n".join(escape(line) for line in text.split("\n"))


def said(content: str) -> Message:
    """A message of ours."""
    return {"role": "assistant", "content": content}
