"""Files of every kind and encoding become Articles; what cannot is named with its reason."""

import os
import sys
from pathlib import Path

import pytest

from index.read import find_files, read_article
from index.types import Article, NothingToIndex, Unreadable
from tests.conftest import write_articles

PROSE = "Le château d’Orrin a été repeint en été. Où était l’architecte? Personne ne le sait.\n" * 3


def left_out(article: Article) -> list[str]:
    return [article.text[gap.start : gap.end] for gap in article.left_out]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", PROSE),
        ("utf-8-sig", PROSE),
        ("utf-16", PROSE),
        ("utf-16-le", "The ferry leaves at six. Nobody waits for it in winter.\n" * 3),
        ("cp1252", PROSE),
        ("latin-1", "Die Straße führt über die Brücke nach München. Es war schön.\n" * 3),
        ("koi8-r", "Маяк был построен в прошлом веке. Его видно издалека.\n" * 3),
        ("gbk", "灯塔建于上个世纪。从很远的地方就能看到它。\n" * 3),
        ("shift_jis", "灯台は前世紀に建てられた。遠くからでも見える。\n" * 3),
    ],
)
def test_text_in_any_encoding_reads_the_same(encoding: str, text: str) -> None:
    assert read_article("a.txt", text.encode(encoding)).text == text


def test_windows_line_ends_keep_their_line_numbers() -> None:
    article = read_article("a.txt", b"A title\r\n\r\nFirst line.\r\nSecond line.\r\n")
    start = article.text.index("Second")
    assert article.text.count("\r") == 0
    assert article.lines(start, start + 6) == (4, 4)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty file"),
        (b" \n\t\n", "no text in it"),
        (bytes(range(256)) * 40, "binary data"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), "binary data"),
        (b"Back to top\n\nShare this article\n", "nothing but boilerplate"),
    ],
)
def test_what_is_no_article_is_refused_with_a_reason(content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        read_article("a.txt", content)


def test_boilerplate_lines_are_left_out_and_listed() -> None:
    text = (
        "top of page\n\nThe harbour wall\n\nThe wall was raised by a metre in 2019. "
        "It has held since.\n\nRated 0 out of 5 stars.\nNo ratings yet\n\n"
        "Add a rating\nbottom of page"
    )
    article = read_article("a.txt", text.encode())
    assert left_out(article) == [
        "top of page",
        "Rated 0 out of 5 stars.",
        "No ratings yet",
        "Add a rating",
        "bottom of page",
    ]
    assert article.title == "The harbour wall"


@pytest.mark.parametrize(
    "licence",
    [
        "All content by the Harbour Press is licensed under a Creative Commons licence.",
        "Text released under the Creative Commons Attribution 4.0 licence.",
        "This article is available under CC BY 4.0.",
    ],
)
def test_a_licence_sentence_that_closes_a_paragraph_is_left_out(licence: str) -> None:
    article = read_article("a.txt", f"The wall was raised. It has held since. {licence}".encode())
    assert left_out(article) == [licence]


def test_prose_that_mentions_boilerplate_stays() -> None:
    text = (
        "She put the kettle on top of the page she was reading. The menu was short. "
        "Under the new rules every photograph is licensed under a Creative Commons licence, and "
        "the museum shares them. They open at nine.\n\n"
        "The code was released under the MIT licence in 2019.\n"
    )
    assert read_article("a.txt", text.encode()).left_out == ()


def test_a_one_line_article_is_named_by_its_file_or_its_opening_words() -> None:
    text = b"The harbour wall of Skerrow was raised by a metre in the summer of 2019, and it held."
    assert read_article("harbour-wall.txt", text).title == "harbour wall"
    assert read_article("003_f240829bfc.txt", text).title.startswith("The harbour wall of Skerrow")


def test_markdown_keeps_its_text_and_knows_its_marks() -> None:
    source = (
        "---\ntitle: The wall\nauthor: A. B.\n---\n"
        "# The **wall** of [Skerrow](https://example.org/a_b)\n\n"
        "It is *very* high, `12 m`, see_also_this and 2 * 3 * 4.\n\n"
        "![plan](plan.png)\n\n- one\n- two\n"
    )
    article = read_article("a.md", source.encode())
    assert article.text == source
    assert article.title == "The wall"
    assert [heading.text for heading in article.headings] == ["The wall of Skerrow"]
    start = source.index("It is")
    assert article.shown(start, source.index("\n\n![")) == (
        "It is very high, 12 m, see_also_this and 2 * 3 * 4."
    )
    assert article.heading(start) == "The wall of Skerrow"
    assert left_out(article)[0].startswith("---") and "![plan](plan.png)" in left_out(article)


def test_a_page_is_its_article_and_the_rest_is_listed() -> None:
    page = """<!doctype html><html><head><title>Wall | Press</title><style>p{}</style></head><body>
    <nav><a href="/">Home</a> <a href="/n">News</a></nav><script>var x = "secret";</script>
    <div style="display: none">hidden words</div>
    <article><h1>The wall</h1><p>The wall was raised by a metre in <b>2019</b>, after the storm
    of the year before had flooded eleven streets and the fish market.</p>
    <h2>The cost</h2><p>It cost two million and took fourteen months, five more than planned,
    since the stone had to come from Norway.</p></article>
    <aside>Read also: the pier</aside><footer>© 2020 Press</footer></body></html>"""
    article = read_article("a.html", page.encode())
    assert article.title == "The wall"
    assert "secret" not in article.text and "hidden words" not in article.text
    assert left_out(article) == ["Home News", "Read also: the pier", "© 2020 Press"]
    assert article.heading(article.text.index("It cost")) == "The cost"
    assert article.lines(0, 5) is None
    assert "in 2019, after the storm of the year" in article.text


@pytest.mark.parametrize(
    "page", ["<p>unclosed <b>bold", "<html></html>x" * 50, "<" * 5000, "<div>" * 20000 + "deep"]
)
def test_broken_pages_read_or_are_refused_but_never_crash(page: str) -> None:
    try:
        assert read_article("a.html", page.encode()).text.strip()
    except Unreadable:
        pass


def test_names_are_paths_and_two_files_of_one_name_are_two_articles(tmp_path: Path) -> None:
    write_articles(tmp_path, {"a/x.txt": "One.", "b/x.txt": "Two.", "ünïcode 🙂.md": "Three."})
    assert list(find_files([tmp_path]).files) == ["a/x.txt", "b/x.txt", "ünïcode 🙂.md"]
    assert list(find_files([tmp_path / "a", tmp_path / "b"]).files) == ["a/x.txt", "b/x.txt"]
    assert list(find_files([tmp_path / "a" / "x.txt"]).files) == ["x.txt"]


def test_nothing_is_passed_over_in_silence(tmp_path: Path) -> None:
    write_articles(tmp_path, {"a.txt": "One.", "b.xyz": "?", ".secret.txt": "?", ".git/c.txt": "?"})
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere")
    found = find_files([tmp_path])
    assert list(found.files) == ["a.txt"]
    assert found.passed_over == {
        ".git": "hidden folder",
        ".secret.txt": "hidden file",
        "b.xyz": "format .xyz is not read",
        "gone.txt": "broken link",
        "loop": "link to a folder",
    }


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission_is_listed(tmp_path: Path) -> None:
    from index.read import read_bytes

    write_articles(tmp_path, {"a.txt": "One."})
    (tmp_path / "a.txt").chmod(0)
    with pytest.raises(Unreadable, match="no read permission"):
        read_bytes(tmp_path / "a.txt")


def test_a_missing_folder_is_one_clear_sentence(tmp_path: Path) -> None:
    with pytest.raises(NothingToIndex, match="There is no folder or file"):
        find_files([tmp_path / "nowhere"])
