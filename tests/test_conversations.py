"""Conversations are kept, found again, changed by their owners alone, and really deleted."""

import json
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from index.types import FootnoteError
from rag import Turn
from ui.conversations import VERSION, Conversations, Exchange, new_id

ANN, BEN = "user:ann", "browser:0123"
HOSTILE = (
    "'; DROP TABLE exchanges; --",
    '" OR 1=1 --',
    "half a character \ud800, NUL \x00, and the end",
    "<script>alert(1)</script>",
    "% _ * NEAR( AND",
    "\u202ereversed",
)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Conversations]:
    conversations = Conversations(tmp_path / ".rag" / "conversations.sqlite")
    yield conversations
    conversations.close()


def asked(question: str, answer: str = "It has 152 steps. [1]", short: str | None = "152 steps"):
    return Exchange(
        id=new_id(),
        question=question,
        searched_for=f"{question} (in full)",
        answer={"answer": answer, "short_answer": short, "citations": [{"number": 1}]},
        markdown=f"**{short}**",
        sources={"cards": []},
        asked="2026-11-25T14:00:00+00:00",
    )


def titles(conversations: Conversations, owner: str = ANN, search: str = "") -> list[str]:
    return [one.title for one in conversations.list(owner, search)]


def on_disk(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_a_conversation_survives_a_restart_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite"
    first, second = asked("How tall is it?"), asked("And the other?")
    conversations = Conversations(path)
    id = conversations.keep(ANN, "", first)
    assert conversations.keep(ANN, id, second) == id
    conversations.close()
    again = Conversations(path)
    assert again.exchanges(ANN, id) == [first, second]
    (listed,) = again.list(ANN)
    assert (listed.id, listed.title, listed.exchanges) == (id, "How tall is it?", 2)
    assert listed.updated[10] == "T" and listed.updated.endswith("+00:00")
    again.close()


def test_a_follow_up_knows_what_was_asked_before() -> None:
    expected = Turn("How tall?", "How tall? (in full)", "152 steps")
    assert asked("How tall?").turn == expected
    assert asked("Why?", short=None).turn.short_answer is None


def test_the_newest_is_listed_first_and_a_name_changes_nothing_of_that(kept: Conversations) -> None:
    one = kept.keep(ANN, "", asked("One?"))
    two = kept.keep(ANN, "", asked("Two?"))
    assert titles(kept) == ["Two?", "One?"]
    kept.keep(ANN, one, asked("More?"))
    kept.rename(ANN, two, "  The\nsecond ")
    assert titles(kept) == ["One?", "The second"]


def test_the_oldest_of_very_many_are_found_by_searching(
    kept: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.conversations.MOST_LISTED", 2)
    for question in ("One?", "Two?", "Three?"):
        kept.keep(ANN, "", asked(question))
    assert titles(kept) == ["Three?", "Two?"]
    assert titles(kept, search="one") == ["One?"]


def test_a_title_is_one_short_line_that_ends_at_a_word(kept: Conversations) -> None:
    kept.keep(ANN, "", asked("What did\nthe articles say " + "about bridges " * 20))
    (title,) = titles(kept)
    assert title.startswith("What did the articles say about bridges")
    assert len(title) <= 60 and title.endswith((" bridges …", " about …"))
    (listed,) = kept.list(ANN)
    kept.rename(ANN, listed.id, "x" * 5000)
    assert len(titles(kept)[0]) == 120
    for blank in ("", " \n\t "):
        kept.rename(ANN, listed.id, blank)
    assert titles(kept)[0].startswith("xxx")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("CAFÉ", True),
        ("cafe strasse", True),  # Of two exchanges; accents and ß folded.
        ("152", True),  # In the answer,
        ("metres", True),  # and in the short answer alone.
        ("cafe lighthouse", False),
        ("what AFTER", True),  # Behind a NUL.
        ("  ", True),
        ("%", False),
        ("_", False),
    ],
)
def test_every_word_of_a_search_stands_in_the_conversation(
    kept: Conversations, search: str, found: bool
) -> None:
    id = kept.keep(ANN, "", asked("Where is the Café?"))
    kept.keep(ANN, id, asked("In which Straße?", short="12 metres"))
    kept.keep(ANN, id, asked("NUL \x00 and what comes after it"))
    kept.keep(BEN, "", asked("lighthouse cafe strasse metres 152 % _"))
    assert bool(kept.list(ANN, search)) == found


def test_a_title_that_was_given_is_searched_and_the_old_one_is_not(kept: Conversations) -> None:
    id = kept.keep(ANN, "", asked("Bridges?"))
    kept.rename(ANN, id, "Weirs")
    assert titles(kept, search="weirs") == ["Weirs"]
    kept.cut(ANN, id, 0)
    assert titles(kept, search="bridges") == []


def test_what_is_not_theirs_is_neither_shown_nor_changed(kept: Conversations) -> None:
    exchange = asked("Secret?")
    id = kept.keep(ANN, "", exchange)
    assert kept.list(BEN) == [] and kept.exchanges(BEN, id) == []
    kept.rename(BEN, id, "Mine")
    kept.cut(BEN, id, 0)
    kept.delete(BEN, id)
    assert kept.judge(BEN, exchange.id, "wrong") is None
    other = kept.keep(BEN, id, asked("Into it?"))
    assert other != id and titles(kept, BEN) == ["Into it?"]
    assert titles(kept) == ["Secret?"] and kept.exchanges(ANN, id) == [exchange]


def test_whoever_has_the_id_of_an_exchange_reads_it(kept: Conversations) -> None:
    exchange = asked("To share?")
    id = kept.keep(ANN, "", exchange)
    assert kept.exchange(exchange.id) == exchange
    for unknown in (
        id,
        new_id(),
        "",
        "' OR ''='",
        "\ud800",
        exchange.id.upper(),
        f"{exchange.id}\n",
    ):
        assert kept.exchange(unknown) is None


def test_a_question_is_asked_again_from_its_place(kept: Conversations) -> None:
    questions = [asked(question) for question in ("One?", "Two?", "Three?")]
    id = ""
    for question in questions:
        id = kept.keep(ANN, id, question)
    for no_place in (3, -1, 10**30):
        kept.cut(ANN, id, no_place)
    assert kept.exchanges(ANN, id) == questions
    kept.cut(ANN, id, 1)
    assert kept.exchanges(ANN, id) == questions[:1]
    kept.cut(ANN, id, 0)
    kept.keep(ANN, id, asked("First, edited?"))
    assert titles(kept) == ["First, edited?"]
    kept.rename(ANN, id, "Kept")
    kept.cut(ANN, id, 0)
    kept.keep(ANN, id, asked("Again?"))
    assert titles(kept) == ["Kept"]


def test_a_verdict_is_kept_and_taken_back(kept: Conversations) -> None:
    exchange = asked("Right?")
    id = kept.keep(ANN, "", exchange)
    assert kept.judge(ANN, exchange.id, "wrong") == replace(exchange, verdict="wrong")
    for none in ("Wrong", "a" * 21, "x;y", "\ud800", "wrong\n"):
        assert kept.judge(ANN, exchange.id, none) is None
    assert kept.exchanges(ANN, id)[0].verdict == "wrong"
    assert kept.judge(ANN, exchange.id, "") == exchange


@pytest.mark.parametrize("act", ["delete", "cut"])
def test_what_is_deleted_is_gone_from_the_disk(
    tmp_path: Path, kept: Conversations, act: str
) -> None:
    exchange = asked("Whose name is Rumpelstiltskin?", answer="Rumpelstiltskin’s. " * 900)
    id = kept.keep(ANN, "", exchange)
    stays = kept.keep(ANN, "", asked("Stays?"))
    kept.rename(ANN, id, "Other")
    assert b"umpelstiltskin" in on_disk(tmp_path)
    if act == "delete":
        kept.delete(ANN, id)
        assert [one.id for one in kept.list(ANN)] == [stays]
    else:
        kept.cut(ANN, id, 0)
    assert kept.exchange(exchange.id) is None
    assert b"umpelstiltskin" not in on_disk(tmp_path)
    assert b"Stays?" in on_disk(tmp_path)


def test_nobody_else_on_the_machine_reads_it_and_no_owner_stands_in_it(
    tmp_path: Path, kept: Conversations
) -> None:
    kept.keep(ANN, "", asked("Mine?"))
    for file in (tmp_path / ".rag").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert ANN.encode() not in on_disk(tmp_path)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(kept: Conversations, text: str) -> None:
    exchange = replace(asked(text, answer=text), sources={text: [text]})
    id = kept.keep(text, text, exchange)
    assert kept.exchanges(text, id) == [exchange]
    assert kept.exchanges(ANN, id) == kept.list(ANN) == kept.exchanges(text, text) == []
    assert [one.id for one in kept.list(text, text)] == [id]
    kept.rename(text, id, text)
    (listed,) = kept.list(text, text)
    listed.title.encode()
    assert not set(listed.title) & set("\x00\u202e")
    assert kept.judge(text, text, text) is None
    kept.delete(text, text)
    assert len(kept.list(text)) == 1


def test_an_id_is_used_once(kept: Conversations) -> None:
    exchange = asked("Mine?")
    kept.keep(ANN, "", exchange)
    for bad in (exchange, replace(asked("x"), id="abc"), replace(asked("x"), verdict="No!")):
        with pytest.raises(ValueError, match="kept"):
            kept.keep(BEN, "", bad)
    assert kept.list(BEN) == [] and kept.exchange(exchange.id) == exchange


def test_twenty_at_once_lose_nothing(tmp_path: Path, kept: Conversations) -> None:
    other = Conversations(tmp_path / ".rag" / "conversations.sqlite")  # As another process has it.
    shared = kept.keep(ANN, "", asked("Start?"))

    def talk(number: int) -> None:
        conversations = (kept, other)[number % 2]
        mine = ""
        for turn in range(5):
            mine = conversations.keep(f"user:{number}", mine, asked(f"Question {turn}?"))
            conversations.keep(ANN, shared, asked(f"Shared {number} {turn}?"))
            conversations.list(ANN, "shared")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(talk, range(20)))
    other.close()
    assert len(kept.exchanges(ANN, shared)) == 101
    for number in range(20):
        (listed,) = kept.list(f"user:{number}")
        questions = [one.question for one in kept.exchanges(f"user:{number}", listed.id)]
        assert questions == [f"Question {turn}?" for turn in range(5)]


def test_a_file_that_cannot_be_used_is_told_in_a_sentence(tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.sqlite"
    garbage.write_bytes(b"This is no database. " * 500)
    folder = tmp_path / "folder.sqlite"
    folder.mkdir()
    newer = tmp_path / "newer.sqlite"
    with sqlite3.connect(newer) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    for path, told in (
        (garbage, "is damaged"),
        (folder, "cannot be kept"),
        (garbage / "below.sqlite", "cannot be kept"),
        (newer, "newer Footnote"),
    ):
        with pytest.raises(FootnoteError, match=told) as caught:
            Conversations(path)
        assert str(path) in str(caught.value)
    assert garbage.read_bytes().startswith(b"This is no database."), "nothing is thrown away"


def test_damage_that_shows_later_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "conversations.sqlite"
    conversations = Conversations(path)
    id = ""
    for number in range(50):
        id = conversations.keep(ANN, id, asked(f"Question {number}?", answer="word " * 500))
    conversations.close()
    whole = path.read_bytes()
    for damaged in (
        whole[: len(whole) // 2],
        whole.replace(b'{"question"', b'["question"'),
        whole[:8192] + b"\xff" * (len(whole) - 8192),
    ):
        path.write_bytes(damaged)
        with pytest.raises(FootnoteError, match=r"damaged|cannot be used"):  # noqa: PT012
            again = Conversations(path)
            try:
                again.exchanges(ANN, id)
            finally:
                again.close()


def test_a_closed_file_says_so(kept: Conversations) -> None:
    kept.close()
    with pytest.raises(FootnoteError):
        kept.list(ANN)


def test_what_is_kept_can_be_sent_to_a_browser(kept: Conversations) -> None:
    id = kept.keep(ANN, "", asked("\ud800?"))
    (exchange,) = kept.exchanges(ANN, id)
    json.dumps([exchange.answer, exchange.sources, kept.list(ANN)[0].title]).encode()
