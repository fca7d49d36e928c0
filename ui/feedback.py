"""What people say of answers, kept as a question file that `rag eval` reads.

    feedback.jsonl   a JSON line a verdict: the question, what the answer should or should not say

Of the lines of one exchange the last one counts; an empty verdict takes the others back.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from index.types import FootnoteError
from ui.conversations import Exchange
from ui.export import paragraphs
from ui.render import Data

REASONS = {
    "right": "The answer is right",
    "wrong": "The answer is wrong",
    "source": "The quoted passage does not say this",
    "missing": "The articles do answer this",
    "refuse": "The articles do not say this",
}
"""The verdicts and the words that they are shown as."""

WRITING = Lock()


def record(path: Path, exchange: Exchange, verdict: str) -> None:
    """Append a verdict on an exchange, or "" to take it back, and force it to the disk.

    Raises FootnoteError when it cannot be written, and for a verdict that is none of `REASONS`.
    """
    if verdict and verdict not in REASONS:
        raise FootnoteError(f"A verdict is one of: {', '.join(REASONS)}.")
    # ASCII: a question may hold halves of characters, which UTF-8 has no bytes for.
    line = json.dumps(_line(exchange, verdict)).encode("ascii") + b"\n"
    try:
        with WRITING:
            path.parent.mkdir(parents=True, exist_ok=True)
            _append(path, line)
    except OSError as error:
        raise FootnoteError(f"The verdict cannot be written to {path} ({error}).") from error


def _append(path: Path, line: bytes) -> None:
    """Add a line with one write, as a whole or not at all."""
    # Opened to append, so that lines of two processes never mix; for nobody else's eyes.
    path.touch(mode=0o600)
    with path.open("ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # Somebody's editor, or a machine that went down.
                line = b"\n" + line
        if file.write(line) != len(line):
            file.truncate(size)
            raise OSError("the disk is full")
        os.fsync(file.fileno())


def _line(exchange: Exchange, verdict: str) -> dict[str, Any]:
    """A line of the question file. What was cited is evidence only where the answer is right."""
    answer = exchange.answer
    answered, right = bool(answer.get("answered")), verdict == "right"
    line: dict[str, Any] = {
        "id": exchange.id,
        "question": exchange.searched_for or exchange.question,
        "answers": [],
        "evidence": [],
        "answerable": answered if right else verdict != "refuse",
        "verdict": verdict,
        "said": answer.get("answer") or "",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if right and answered:
        cited = answer.get("citations") or ()
        # Where sources disagree, either value is right.
        values = [_one_line(value["value"]) for value in answer.get("conflict") or ()]
        line["answers"] = values or _told(answer)
        line["evidence"] = [{"doc": one["file"], "text": one["quote"]} for one in cited]
        line["conflicting"] = bool(answer.get("conflict"))
    elif verdict and line["answerable"]:
        line["wrong"] = _told(answer)
    return line


def _told(answer: Data) -> list[str]:
    """What an answer says in few words, or the first sentence that it quotes; none of a refusal."""
    if answer.get("short_answer"):
        return [_one_line(answer["short_answer"])]
    if not answer.get("answered"):
        return []
    # As it was shown: the quote of a citation has the marks and line ends of its file. Where
    # sources disagree the first sentence says just that, which is what is wrong then.
    sentences = (_one_line(said.words) for part in paragraphs(answer) for said in part)
    return list(filter(None, sentences))[:1]


def _one_line(text: str) -> str:
    return " ".join(text.split())
