"""What most articles of a folder begin or end with belongs to the site."""

from collections.abc import Callable
from pathlib import Path

from index import Index, open_index
from index.build import Report
from index.recurring import REASON, edges, find_recurring, leave_out
from index.sentences import sentences
from index.types import Article, Heading
from ui.status import describe

Make = Callable[[dict[str, str]], Index]
Rebuild = Callable[..., Report]
HEAD = "The Dray Herald, news of the valley since 1902."
FOOT = "Tell the desk what you think of this story"
TOPICS = "eels tolls lamps ferries orchards".split()


def story(topic: str) -> str:
    return f"{HEAD}\n\nOn {topic}\n\nThe council spoke of {topic} and of nothing else.\n\n{FOOT}\n"


def test_they_are_left_out_and_shown_as_such(make_index: Make, tmp_path: Path) -> None:
    index = make_index({f"news/{topic}.txt": story(topic) for topic in TOPICS})
    for topic in TOPICS:
        article = index.article(f"news/{topic}.txt")
        assert article
        gaps = [(article.text[gap.start : gap.end], gap.reason) for gap in article.left_out]
        assert gaps == [(HEAD, REASON), (FOOT, REASON)]
    said = " ".join(index.chunk(row[0]).text for row in index.chunk_rows())
    assert "Herald" not in said and "orchards" in said
    for file in describe(tmp_path / ".rag")["files"]:
        assert file["lost_characters"] == 0
        assert abs(file["in_passages"] + file["left_out_share"] - 1) < 1e-3


def test_they_come_back_when_they_no_longer_recur(
    make_index: Make, rebuild: Rebuild, tmp_path: Path
) -> None:
    make_index({f"{topic}.txt": story(topic) for topic in TOPICS})
    (tmp_path / "articles" / "eels.txt").unlink()
    report = rebuild()
    assert (report.removed, report.changed) == (("eels.txt",), ())
    article = open_index(tmp_path / ".rag").article("tolls.txt")
    assert article
    assert article.left_out == ()
    again = rebuild()
    assert again.embedded == 0


def test_a_new_file_makes_them_recur(make_index: Make, rebuild: Rebuild, tmp_path: Path) -> None:
    make_index({f"{topic}.txt": story(topic) for topic in TOPICS[:4]})
    (tmp_path / "articles" / "last.txt").write_text(story("herons"))
    assert rebuild().new == ("last.txt",)
    index = open_index(tmp_path / ".rag")
    assert all("Herald" not in index.chunk(row[0]).text for row in index.chunk_rows())


def article(file: str, text: str, *headings: Heading) -> Article:
    return Article(file, file, text, True, headings=headings, sentences=sentences(text))


def recurring(*articles: Article) -> bool:
    """Whether any line of these articles is found to recur."""
    return any(find_recurring({one.file: edges(one) for one in articles}).values())


def test_other_folders_do_not_count() -> None:
    assert recurring(*(article(f"a/{topic}.txt", story(topic)) for topic in TOPICS))
    assert not recurring(*(article(f"{topic}/a.txt", story(topic)) for topic in TOPICS))


def test_headings_short_lines_and_the_middle_stay() -> None:
    heading = "What is to be done now"
    middle = "This very line stands in the middle of each one of them"
    rest = "\n".join(f"Line {{0}} {number} of a longer story" for number in range(5))
    text = f"{heading}\nIngredients\nOn {{0}} and much else\n{middle}\n{rest}"
    told = [
        article(topic, text.format(topic), Heading(0, len(heading), heading)) for topic in TOPICS
    ]
    assert not recurring(*told)


def test_an_article_of_such_lines_alone_keeps_them() -> None:
    alone = article("a.txt", f"{HEAD}\n{FOOT}\n")
    lines = [(start, end) for _, start, end in edges(alone)]
    assert len(lines) == 2
    assert leave_out(alone, lines) is alone
