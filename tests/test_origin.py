"""Date and author are taken from where an article says them, and never guessed."""

import pytest

from index.origin import find_author, find_date, read_date
from index.read import read_article


@pytest.mark.parametrize(
    ("words", "date"),
    [
        ("2023-06-12", "2023-06-12"),
        ("2023-06-12T08:30:00Z", "2023-06-12"),
        ("12 June 2023 10:00 CT", "2023-06-12"),  # A zone that dateutil does not know.
        ("June 12, 2023", "2023-06-12"),
        ("12 June 2023", "2023-06-12"),
        ("Monday, 12 June 2023", "2023-06-12"),
        ("Published: 12 June 2023", "2023-06-12"),
        ("Updated on June 12th, 2023", "2023-06-12"),
        ("12.06.2023", "2023-06-12"),
        ("June 2023", "2023-06"),
        ("2023", "2023"),
        ("03/04/2021", "2021"),
        ("25/04/2021", "2021-04-25"),
        ("On Monday 12 June 2023 the president opened his tour.", ""),
        ("The harvest of 1921", ""),
        ("31 February 2020", ""),
        ("12 June", ""),
        ("", ""),
    ],
)
def test_a_date_is_read_as_far_as_it_is_known(words: str, date: str) -> None:
    assert read_date(words) == date


def test_date_and_author_stand_on_lines_of_their_own() -> None:
    head = "The old mill\n\nBy Ada Firth\n3 May 2021\n\nThe mill burned down in 1874.\n"
    assert (find_date(head), find_author(head)) == ("2021-05-03", "Ada Firth")
    running = "The old mill\n\nBy 1874 the mill had burned down. It was rebuilt on 3 May 1880.\n"
    assert (find_date(running), find_author(running)) == ("", "")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.txt", "The old mill\nBy Ada Firth\n3 May 2021\n\nThe mill burned down.\n"),
        ("a.md", "---\nauthor: Ada Firth\ndate: 2021-05-03\n---\n# The old mill\n\nIt burned.\n"),
        ("a.md", "# The old mill\n\nBy Ada Firth\n\nMay 3, 2021\n\nThe mill burned down.\n"),
        (
            "a.html",
            '<html><head><meta name="author" content="Ada Firth"><meta '
            'property="article:published_time" content="2021-05-03T10:00:00+02:00"></head>'
            "<body><h1>The old mill</h1><p>The mill burned down.</p></body></html>",
        ),
        (
            "a.html",
            '<html><body><h1>The old mill</h1><p>By Ada Firth</p><time datetime="2021-05-03">'
            "Monday</time><p>The mill burned down.</p></body></html>",
        ),
    ],
)
def test_every_format_says_when_and_by_whom(file: str, content: str) -> None:
    article = read_article(file, content.encode())
    assert (article.date, article.author) == ("2021-05-03", "Ada Firth")
