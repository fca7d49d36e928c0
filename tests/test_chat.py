"""What happens on Enter, without a browser."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from index.types import FootnoteError, IndexUnusable
from rag.types import Answer, Citation, Sentence, Turn
from ui.chat import LONGEST_QUESTION, Chat
from ui.render import fingerprint, link, token
from ui.screen import Asked, Screen, paced

QUESTION = "When was the Tarnwick Chess Club founded?"


def scripted(*answers: Answer):
    """An `ask` that gives these answers and remembers the history it got."""

    def ask(question: str, index: object, *, history: tuple[Turn, ...] = ()) -> Iterator[Answer]:
        ask.histories.append(history)
        yield from answers

    ask.histories = []
    return ask


def said(*sentences: str) -> Answer:
    paragraph = tuple(Sentence(sentence) for sentence in sentences)
    return Answer("q?", "q?", answered=True, paragraphs=(paragraph,), short_answer="42")


ANN, BOB = "browser:" + "a" * 32, "browser:" + "b" * 32


def screens(chat: Chat, question: object, conversation: object = "", **more) -> list[Screen]:
    return list(chat.reply(Asked(question, ANN, conversation, **more)))


@pytest.fixture
def folder(sample_index: Path, tmp_path: Path) -> Path:
    """An index folder of the sample articles, with no conversations in it yet."""
    own = tmp_path / "own"
    own.mkdir()
    for name in ("builds", "models"):
        (own / name).symlink_to(sample_index / name)
    (own / "current").symlink_to(os.readlink(sample_index / "current"))
    return own


def test_a_question_is_answered_from_the_index(sample_index: Path) -> None:
    steps = screens(Chat(sample_index), QUESTION)
    assert "Looking through your articles" in steps[0].messages[-1]["content"]
    assert steps[0].draft == ""
    assert all(step.running for step in steps[:-1])
    last = steps[-1]
    assert not last.running
    assert [message["role"] for message in last.messages] == ["user", "assistant"]
    assert "1911" in last.messages[-1]["content"]
    assert "](#src-" in last.messages[-1]["content"]
    assert last.sources is not None
    assert last.sources["cards"][0]["file"] == "chess-club.txt"
    json.dumps(last.sources)


def test_follow_ups_get_the_turns_before_them(folder: Path) -> None:
    ask = scripted(said("Yes."))
    chat = Chat(folder, ask)
    first = screens(chat, "How long?")[-1]
    last = screens(chat, "And how wide?", first.conversation)[-1]
    assert ask.histories == [(), (Turn("How long?", "q?", "42"),)]
    assert last.conversation == first.conversation
    assert len(last.messages) == 4


@pytest.mark.parametrize("question", ["", "  \n\t ", None, 3, ["x"], {"text": "x"}])
def test_no_question_changes_nothing(folder: Path, question: object) -> None:
    ask = scripted(said("Yes."))
    chat = Chat(folder, ask)
    before = screens(chat, "A?")[-1]
    (step,) = screens(chat, question, before.conversation)
    assert (step.messages, step.draft, step.running) == (before.messages, None, False)
    assert len(ask.histories) == 1


def test_nobody_goes_on_with_the_conversation_of_somebody_else(folder: Path) -> None:
    ask = scripted(said("Yes."))
    chat = Chat(folder, ask)
    theirs = screens(chat, "A?")[-1].conversation
    *_, last = chat.reply(Asked("B?", BOB, theirs))
    assert last.conversation != theirs
    assert len(last.messages) == 2
    assert ask.histories[-1] == ()
    assert chat.open(BOB, theirs).messages == []
    assert len(chat.open(ANN, theirs).messages) == 2
    for nonsense in (None, 7, ["x"], "x" * 5000, {"a": 1}):
        assert chat.open(ANN, nonsense).messages == []


def test_a_question_asked_again_or_edited_replaces_what_followed(folder: Path) -> None:
    ask = scripted(said("Yes."))
    chat = Chat(folder, ask)
    id = screens(chat, "One *star*?")[-1].conversation
    screens(chat, "Two?", id)
    screens(chat, "Three?", id)
    again = screens(chat, None, id, number=1)[-1]
    assert [m["content"] for m in again.messages[::2]] == ["One \\*star\\*?", "Two?"]
    edited = screens(chat, "One \\*moon\\*?", id, number=0)[-1]
    assert [m["content"] for m in edited.messages[::2]] == ["One \\*moon\\*?"]
    assert [one.question for one in chat.conversations.exchanges(ANN, id)] == ["One *moon*?"]
    assert screens(chat, None, id, number=7)[-1].note == ""
    assert len(chat.conversations.exchanges(ANN, id)) == 1


def test_a_stopped_answer_is_kept_as_far_as_it_came(folder: Path) -> None:
    chat = Chat(folder, scripted(said("Half."), said("Half.", "Whole.")))
    steps = chat.reply(Asked("Q?", ANN))
    for step in steps:
        if step.sources:
            break
    steps.close()
    (kept,) = chat.conversations.exchanges(ANN, step.conversation)
    assert "Half" in kept.markdown and "Whole" not in kept.markdown


def test_who_has_the_link_reads_the_answer_and_nothing_else(folder: Path) -> None:
    chat = Chat(folder, scripted(said("Yes.")))
    id = screens(chat, "A?")[-1].conversation
    shown = screens(chat, "B?", id)[-1]
    arrived = chat.shared(shown.sources["answer"])
    assert [m["content"] for m in arrived.messages[::2]] == ["B?"]
    assert arrived.conversation == ""
    for wrong in (id, "0" * 32, "", None, 5):
        nothing = chat.shared(wrong)
        assert nothing.messages == [] and "no longer kept" in nothing.note


def test_only_the_chosen_articles_are_asked_and_that_is_told(folder: Path) -> None:
    chat = Chat(folder)
    only = json.dumps({"patterns": ["chess-club.txt"], "since": "", "until": ""})
    last = screens(chat, QUESTION, only=only)[-1]
    assert "1911" in last.messages[-1]["content"]
    assert "Only chess-club.txt" in last.messages[-1]["content"]
    only = json.dumps({"patterns": ["orrin*", "hive*"], "since": "", "until": ""})
    last = screens(chat, QUESTION, only=only)[-1]
    assert "1911" not in last.messages[-1]["content"]
    assert "Only orrin\\*, hive\\*" in last.messages[-1]["content"]


@pytest.mark.parametrize(
    "only",
    ["{", "[]", "7", '{"patterns": [1], "since": "", "until": ""}',
     '{"patterns": "x", "since": "2020", "until": ""}', '{"patterns": []}'],
)  # fmt: skip
def test_a_choice_that_is_none_is_not_taken_for_all_articles(folder: Path, only: str) -> None:
    last = screens(Chat(folder), QUESTION, only=only)[-1]
    assert "choose them again" in last.messages[-1]["content"]
    assert last.draft == QUESTION


def test_what_somebody_thinks_is_kept_for_rag_eval(folder: Path) -> None:
    chat = Chat(folder)
    id = screens(chat, QUESTION)[-1].conversation
    assert "feedback.jsonl" in chat.judge(ANN, id, 0, True)
    chat.judge(ANN, id, 0, "The quoted passage does not say this")
    for owner, conversation, number in ((BOB, id, 0), (ANN, "", 0), (ANN, id, 5), (ANN, id, -1)):
        assert chat.judge(owner, conversation, number, True) == ""
    lines = (folder / "feedback.jsonl").read_text().splitlines()
    assert [json.loads(line)["verdict"] for line in lines] == ["right", "source"]
    assert {json.loads(line)["question"] for line in lines} == {QUESTION}


def test_suggestions_are_answered_and_new(folder: Path) -> None:
    chat = Chat(folder)
    shown = screens(chat, "When was the Skerrow light first lit?")[-1]
    found = chat.suggestions(shown.sources["answer"])
    assert 1 <= len(found) <= 3
    for question in found:
        assert chat.answer(question)["answered"], question
    assert chat.suggestions("0" * 32) == chat.suggestions("x") == []


def test_a_question_that_is_too_long_stays_in_the_box(sample_index: Path) -> None:
    ask = scripted(said("Yes."))
    (step,) = screens(Chat(sample_index, ask), "why " * LONGEST_QUESTION)
    assert not step.messages
    assert step.draft is None
    assert f"shorten it to {LONGEST_QUESTION:,}" in step.note
    assert not ask.histories


def test_without_an_index_the_command_is_named_and_the_question_kept(tmp_path: Path) -> None:
    last = screens(Chat(tmp_path), QUESTION)[-1]
    assert "rag index" in last.messages[-1]["content"]
    assert last.draft == QUESTION
    assert not last.running


def test_an_error_for_the_user_becomes_a_message(sample_index: Path) -> None:
    def ask(*_: object, **__: object) -> Iterator[Answer]:
        yield said("Half")
        raise FootnoteError("The <model> is away: run `rag doctor`.")

    last = screens(Chat(sample_index, ask), QUESTION)[-1]
    assert last.messages[-1]["content"] == "The &lt;model&gt; is away: run `rag doctor`."
    assert last.draft == QUESTION


def test_the_question_is_shown_escaped_with_its_own_lines(sample_index: Path) -> None:
    step = screens(Chat(sample_index, scripted(said("Yes."))), "<b>one</b>\n![two](x)")[0]
    assert step.messages[0]["content"] == "&lt;b&gt;one&lt;/b&gt;\n!\\[two\\](x)"


def test_a_fast_stream_is_thinned_out_and_ends_with_its_last_answer() -> None:
    answers = [said(str(number)) for number in range(100)]
    shown = list(paced(answers, pace=60))
    assert shown == [answers[0], answers[-1]]
    assert list(paced(answers, pace=0)) == answers
    assert list(paced([])) == []


def test_a_newer_build_is_opened_and_the_older_one_goes_on(
    sample_index: Path, tmp_path: Path
) -> None:
    build = sample_index / os.readlink(sample_index / "current")
    folder = tmp_path / "index"
    (folder / "builds").mkdir(parents=True)
    (folder / "models").symlink_to(sample_index / "models")
    for name in ("one", "two"):
        (folder / "builds" / name).symlink_to(build)
    (folder / "current").symlink_to("builds/one")
    chat = Chat(folder)
    first = chat.index()
    assert chat.index() is first
    (folder / "next").symlink_to("builds/two")
    (folder / "next").replace(folder / "current")
    second = chat.index()
    assert second is not first
    assert second.build.name == "two"
    assert first.article("chess-club.txt") == second.article("chess-club.txt")


def test_an_article_is_opened_by_the_link_of_a_citation(sample_index: Path) -> None:
    chat = Chat(sample_index)
    article = chat.index().article("skerrow-light.md")
    assert article is not None
    start, end = article.sentences[3]
    quote = article.text[start:end]
    citation = Citation(1, "", article.file, "", start, end, None, None, None, quote)
    data = chat.article(link(citation))
    runs = [run for part in data["blocks"] for run in part["runs"]]
    marked = "".join(run["text"] for run in runs if run["kind"] == "cited")
    assert marked == article.shown(start, end)
    assert data["title"] == article.title


@pytest.mark.parametrize(
    "link",
    [
        None,
        7,
        ["#src-"],
        {"a": 1},
        "../../etc/passwd",
        f"#src-{token('/etc/passwd')}-0-9-{fingerprint('')}",
        "#src-ffffffffffffffff-0-99999999999-00000000",
    ],
)
def test_other_links_open_nothing(sample_index: Path, link: object) -> None:
    with pytest.raises(FootnoteError):
        Chat(sample_index).article(link)


def test_a_range_beyond_the_article_is_no_error(sample_index: Path) -> None:
    data = Chat(sample_index).article(f"#src-{token('chess-club.txt')}-900-5-00000000-9-1")
    assert "has changed" in data["note"]


def test_the_api_gives_what_the_command_line_prints(sample_index: Path) -> None:
    answer = Chat(sample_index).answer(QUESTION)
    assert answer["answered"]
    assert answer["citations"][0]["file"] == "chess-club.txt"
    json.dumps(answer)


def test_the_api_names_what_is_wrong(sample_index: Path, tmp_path: Path) -> None:
    with pytest.raises(FootnoteError, match="2,000"):
        Chat(sample_index).answer("x" * 2001)
    with pytest.raises(IndexUnusable, match="rag index"):
        Chat(tmp_path).answer(QUESTION)


def test_every_example_is_answered(sample_index: Path) -> None:
    chat = Chat(sample_index)
    examples = chat.examples()
    assert 2 <= len(examples) <= 4
    for question in examples:
        assert chat.answer(question)["answered"], question


def test_without_an_index_there_are_no_examples(tmp_path: Path) -> None:
    chat = Chat(tmp_path)
    assert chat.examples() == []
    assert chat.articles() == 0
    assert chat.build() is None


def test_conversations_that_cannot_be_read_are_told_of(folder: Path) -> None:
    chat = Chat(folder)
    id = screens(chat, QUESTION)[-1].conversation
    chat.conversations.close()
    (step,) = screens(chat, "Who founded it?", id)
    assert "conversations.sqlite" in step.note
    assert step.draft is None
