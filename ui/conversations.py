"""Conversations kept in SQLite. Knows sqlite3.

    conversations.sqlite   conversations (who owns one, its title), exchanges (what was said in it)

Only the owner lists, reads and changes a conversation; a single exchange can be read by whoever has
its id, which nobody guesses. Of an owner only a hash is kept, so that the file opens no browser's
conversations to whoever reads it. What is deleted is overwritten.
"""

import hashlib
import json
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from index.types import FootnoteError
from rag import Turn
from rag.query import without_accents
from ui.render import Data
from ui.terminal import clean

VERSION = 1  # Of the tables; a file of a newer one is left alone.
HEADING = 60  # Characters of a title that is made from a question,
LONGEST_TITLE = 120  # and of one that somebody gives.
LONGEST_SEARCH = 200  # Characters; more than anybody types, few enough to look for in every text.
MOST_LISTED = 1000  # Conversations; nobody scrolls further, and a search finds the older ones.
MOST_EXCHANGES = 1_000_000  # A number from a browser may be more than SQLite can count.
ID = re.compile(r"[0-9a-f]{32}")
VERDICT = re.compile(r"[a-z]{0,20}")

TABLES = """
CREATE TABLE conversations (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    title TEXT NOT NULL,
    named INTEGER NOT NULL DEFAULT 0,  -- Whether somebody gave the title: then it stays.
    updated TEXT NOT NULL,
    words TEXT NOT NULL  -- Of the title, as they are searched.
);
CREATE INDEX owned ON conversations (owner, updated);
CREATE TABLE exchanges (
    position INTEGER PRIMARY KEY AUTOINCREMENT,  -- Exchanges of a conversation follow each other.
    id TEXT NOT NULL UNIQUE,
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    verdict TEXT NOT NULL,
    words TEXT NOT NULL,  -- Of question and answer, as they are searched.
    value TEXT NOT NULL  -- The exchange as JSON.
);
CREATE INDEX said_in ON exchanges (conversation, position);
"""
LIST = """
SELECT id, title, updated,
    (SELECT count(*) FROM exchanges WHERE conversation = conversations.id)
FROM conversations WHERE owner = ?"""
HOLDS = """ AND (instr(words, ?) OR EXISTS (
    SELECT 1 FROM exchanges WHERE conversation = conversations.id AND instr(exchanges.words, ?)))"""
NEWEST_FIRST = " ORDER BY updated DESC, position DESC LIMIT ?"
EXCHANGE = "SELECT id, verdict, value FROM exchanges WHERE "
OF_THEIRS = "conversation = (SELECT id FROM conversations WHERE id = ? AND owner = ?)"
CUT = f"""
DELETE FROM exchanges WHERE position IN (
    SELECT position FROM exchanges WHERE {OF_THEIRS} ORDER BY position LIMIT -1 OFFSET ?)"""  # noqa: S608
KEPT = ("question", "searched_for", "answer", "markdown", "sources", "asked")
"""What of an exchange is kept as JSON; the rest has columns of its own."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer, as they were shown.

    `id` is 32 hex digits of `new_id`: whoever has it may read the exchange. `answer` is
    `Answer.as_json()`, `markdown` what the chat shows of it, `sources` what the panel lists,
    `asked` an ISO time in UTC, `verdict` what somebody said of the answer.
    """

    id: str
    question: str
    searched_for: str
    answer: Data
    markdown: str
    sources: Data
    asked: str
    verdict: str = ""

    @property
    def turn(self) -> Turn:
        """What a follow-up needs to know of it."""
        return Turn(self.question, self.searched_for, self.answer.get("short_answer"))


Exchanges = list[Exchange]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation in a list: when it was last added to (ISO, UTC), how many exchanges it has."""

    id: str
    title: str
    updated: str
    exchanges: int


Listed = list[Conversation]


def new_id() -> str:
    """An id that nobody guesses: 32 hex digits."""
    return secrets.token_hex(16)


class Conversations:
    """The conversations in a file; several threads and processes may use it at once.

    Every method raises FootnoteError when the file can no longer be read or written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # SQLite would let others on the machine read it.
            self._database = sqlite3.connect(
                path, check_same_thread=False, isolation_level="IMMEDIATE"
            )
        except (OSError, sqlite3.Error) as error:
            raise FootnoteError(
                f"Conversations cannot be kept in {path} ({error}): make it a file you may write."
            ) from error
        try:
            self._prepare()
        except FootnoteError:
            self._database.close()
            raise

    def _prepare(self) -> None:
        with self._using() as database:
            # Readers and a writer do not wait for each other; deleted text is overwritten.
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA secure_delete = ON")
            database.execute("PRAGMA foreign_keys = ON")
            database.execute("BEGIN IMMEDIATE")  # Two that open a new file do not both make tables.
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise FootnoteError(
                    f"{self._path} was written by a newer Footnote: install that one, "
                    "or move the file away to begin anew."
                )
            if version < VERSION:
                for statement in TABLES.split(";\n"):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {VERSION}")

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        """The database for one thread, as one transaction. Raises FootnoteError."""
        with self._lock:
            try:
                with self._database:
                    yield self._database
            except sqlite3.OperationalError as error:
                raise FootnoteError(
                    f"{self._path} cannot be used ({error}): "
                    "see that you may write it and that the disk is not full."
                ) from error
            except sqlite3.Error as error:
                raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> FootnoteError:
        return FootnoteError(f"{self._path} is damaged ({error}): move it away to begin anew.")

    def list(self, owner: str, search: str = "") -> Listed:
        """Their newest conversations, newest first; with `search`, those that hold all its words.

        A word may stand in the title, a question or an answer, whatever its case and accents.
        """
        words = set(_folded(search[:LONGEST_SEARCH]).split())
        query = LIST + HOLDS * len(words) + NEWEST_FIRST
        looked_for = [word for word in words for _ in range(HOLDS.count("?"))]
        with self._using() as database:
            rows = database.execute(query, (_hashed(owner), *looked_for, MOST_LISTED)).fetchall()
        return [
            Conversation(id, title, f"{updated[:19]}+00:00", exchanges)
            for id, title, updated, exchanges in rows
        ]

    def exchanges(self, owner: str, conversation: str) -> Exchanges:
        """The exchanges of a conversation, as they followed; none when it is not theirs."""
        query = EXCHANGE + OF_THEIRS + " ORDER BY position"
        return self._read(query, _id(conversation), _hashed(owner))

    def exchange(self, id: str) -> Exchange | None:
        """An exchange by its own id, whoever asks."""
        found = self._read(EXCHANGE + "id = ?", _id(id))
        return found[0] if found else None

    def _read(self, query: str, *values: str) -> Exchanges:
        with self._using() as database:
            rows = database.execute(query, values).fetchall()
        try:
            return [
                Exchange(id=id, verdict=verdict, **json.loads(value)) for id, verdict, value in rows
            ]
        except (ValueError, TypeError) as error:
            raise self._damaged(error) from error

    def keep(self, owner: str, conversation: str, exchange: Exchange) -> str:
        """Add an exchange; returns the id of its conversation.

        An id that nobody has yet begins a new conversation of that id; somebody else's, or none,
        one of another id.
        Raises ValueError for an exchange whose id is in use, or whose id or verdict is none.
        """
        if not (ID.fullmatch(exchange.id) and VERDICT.fullmatch(exchange.verdict)):
            raise ValueError(f"{exchange.id!r} or {exchange.verdict!r} cannot be kept.")
        id, title = _id(conversation), _one_line(exchange.question, HEADING)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self._using() as database:
            kept = database.execute(
                "UPDATE conversations SET updated = ? WHERE id = ? AND owner = ?",
                (now, id, _hashed(owner)),
            )
            if not kept.rowcount:
                taken = "SELECT 1 FROM conversations WHERE id = ?"
                id = new_id() if not id or database.execute(taken, (id,)).fetchone() else id
                database.execute(
                    "INSERT INTO conversations (id, owner, updated, title, words) "
                    "VALUES (?, ?, ?, '', '')",
                    (id, _hashed(owner), now),
                )
            # The first question is the title, also when it was edited and asked again.
            database.execute(
                "UPDATE conversations SET title = ?, words = ? WHERE id = ? AND NOT named "
                "AND NOT EXISTS (SELECT 1 FROM exchanges WHERE conversation = conversations.id)",
                (title, _folded(title), id),
            )
            added = database.execute(
                "INSERT OR IGNORE INTO exchanges (id, conversation, verdict, words, value) "
                "VALUES (?, ?, ?, ?, ?)",
                (exchange.id, id, exchange.verdict, _searched(exchange), _value(exchange)),
            )
            if not added.rowcount:
                raise ValueError(f"The exchange {exchange.id} has been kept before.")
        return id

    def cut(self, owner: str, conversation: str, number: int) -> None:
        """Drop the exchanges from the number-th on, counted from 0, to ask that one again."""
        if not 0 <= number < MOST_EXCHANGES:
            return  # SQLite would take a negative one for 0 and drop them all.
        with self._using() as database:
            database.execute(CUT, (_id(conversation), _hashed(owner), number))
        self._forget()

    def rename(self, owner: str, conversation: str, title: str) -> None:
        """Give a conversation of theirs another title; a blank one is ignored."""
        named = _one_line(title[: 10 * LONGEST_TITLE], LONGEST_TITLE)
        if not named:
            return
        with self._using() as database:
            database.execute(
                "UPDATE conversations SET title = ?, words = ?, named = 1 "
                "WHERE id = ? AND owner = ?",
                (named, _folded(named), _id(conversation), _hashed(owner)),
            )

    def delete(self, owner: str, conversation: str) -> None:
        """Delete a conversation of theirs and all that was said in it."""
        with self._using() as database:
            database.execute(
                "DELETE FROM conversations WHERE id = ? AND owner = ?",
                (_id(conversation), _hashed(owner)),
            )
        self._forget()

    def judge(self, owner: str, exchange: str, verdict: str) -> Exchange | None:
        """Keep what the owner says of an exchange; "" takes it back.

        A verdict is a word of small letters. None when it is none, or the exchange is not theirs.
        """
        if not VERDICT.fullmatch(verdict):
            return None
        with self._using() as database:
            judged = database.execute(
                "UPDATE exchanges SET verdict = ? WHERE id = ? AND conversation IN "
                "(SELECT id FROM conversations WHERE owner = ?)",
                (verdict, _id(exchange), _hashed(owner)),
            )
        return self.exchange(exchange) if judged.rowcount else None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def _forget(self) -> None:
        """Empty the log of changes, where what was deleted still stands."""
        with self._using() as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _hashed(owner: str) -> str:
    return hashlib.sha256(owner.encode("utf-8", "surrogatepass")).hexdigest()


def _id(id: str) -> str:
    """An id from a browser; empty, which is nobody's, where it is none."""
    return id if ID.fullmatch(id) else ""


def _one_line(text: str, longest: int) -> str:
    """Text on one line that ends at a word, without what cannot be stored or would be obeyed."""
    words = " ".join(clean(_storable(text)).split())
    if len(words) <= longest:
        return words
    return words[: longest - 2].rsplit(" ", 1)[0] + " …"


def _searched(exchange: Exchange) -> str:
    short, answer = (str(exchange.answer.get(name) or "") for name in ("short_answer", "answer"))
    return _folded("\n".join((exchange.question, exchange.searched_for, short, answer)))


def _folded(text: str) -> str:
    """Text as it is searched: without case, accents and forms of letters."""
    return without_accents(_storable(text)).casefold()


def _storable(text: str) -> str:
    """Text without halves of characters, which UTF-8 has no bytes for."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _value(exchange: Exchange) -> str:
    # JSON in ASCII keeps every character as it is, halves of characters too.
    return json.dumps({name: getattr(exchange, name) for name in KEPT})
