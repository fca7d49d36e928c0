"""A citation says where its words stand, and its id leads back there."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index import Article, Index
from index.articles import Entry, Whole
from index.copies import sketch
from index.manifest import FORMAT, Manifest
from index.write import Part, write_base
from rag.cite import UnknownCitation, citation_id, cite, line_range, locate

Make = Callable[[dict[str, str]], Index]
NOTE = "The pier\n\nThe pier of Dray was closed in 1987.\nNobody was hurt.\n"


def index_of(folder: Path, *articles: Article) -> Index:
    """A real index that holds these articles and one empty vector: nothing is searched here."""
    entries = [Entry(article, "", "", "", (), sketch(article)) for article in articles]
    rows = [(0, articles[0].file, 0, 1, "")]
    write_base(folder, Part(entries, rows, [""], np.zeros((1, 4), np.float32)), Whole((), {}, {}))
    texts = dict.fromkeys(("model", "fingerprint", "chunking", "created", "wanted"), "")
    counts = dict.fromkeys(("readers", "articles", "chunks", "base"), 1)
    none = {"format": FORMAT, "sources": (), "skipped": 0, "changes": 0, "files": {}}
    manifest = Manifest(**texts, **counts, **none, kind="exact", dimension=4)
    return Index(folder, manifest, folder / "models")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """Articles with ordinary and awkward names."""
    note = {"title": "Note", "text": NOTE, "numbered": True}
    return index_of(
        tmp_path_factory.mktemp("cite"),
        Article("a.txt", **note),
        Article("news/b.md", **note),
        Article("page.html", title="Page", text=NOTE, numbered=False),
        Article("long.txt", title="Long", text="word " * 400, numbered=True),
        *(
            Article(name, **note)
            for name in [
                "a #1.txt",
                "a#L2.txt",
                "a#c0-3.txt",
                "a.txt#L1.txt",
                "two  spaces .txt",
                "🙂 é.md",
                'it\'s "quoted".txt',
                "100%25.txt",
                "new\nline.txt",
            ]
        ),
    )


def test_an_id_names_lines_where_a_file_has_them(index: Index) -> None:
    start = NOTE.index("Nobody")
    article = index.article("a.txt")
    assert citation_id(article, start, start + 6) == "a.txt#L4"
    assert citation_id(article, NOTE.index("The pier of"), len(NOTE) - 1) == "a.txt#L3-4"
    assert citation_id(index.article("page.html"), start, start + 6) == "page.html#c47-53"
    assert citation_id(index.article("long.txt"), 20, 24) == "long.txt#L1:c20-24"


def test_a_citation_carries_all_that_a_reader_needs(sample: Index) -> None:
    article = sample.article("skerrow-light.md")
    start = article.text.index("It consists of 1,008")
    end = article.text.index("2.3 tonnes.") + len("2.3 tonnes.")
    assert cite(article, start, end, number=2, short=(start + 15, start + 20)).as_json() == {
        "number": 2,
        "id": "skerrow-light.md#L22",
        "file": "skerrow-light.md",
        "title": "Skerrow Point shines again",
        "start": start,
        "end": end,
        "lines": [22, 22],
        "page": None,
        "heading": "The lens",
        "quote": "It consists of 1,008 pieces of glass and weighs 2.3 tonnes.",
        "date": None,
        "author": None,
        "copies": [],
    }


def test_every_sentence_of_every_article_is_found_again(sample: Index) -> None:
    for article, _ in sample.articles():
        for start, end in article.sentences:
            citation = cite(article, start, end)
            back, (left, right) = locate(citation.id, sample)
            assert back == article
            assert left <= start < end <= right
            assert citation.quote in back.text[left:right]


def test_lines_of_an_id_are_lines_of_the_file(sample: Index) -> None:
    folder = Path(__file__).parent.parent / "articles"
    for file in ("skerrow-light.md", "tidal-plant.txt", "nature/hollin-seed-bank.md"):
        lines = (folder / file).read_text("utf-8").split("\n")
        article, (start, end) = locate(f"{file}#L3-5", sample)
        assert article.text[start:end] == "\n".join(lines[2:5])


def test_one_line_articles_round_trip_to_the_character(make_index: Make) -> None:
    text = "The ferry to Aldra leaves at six. " * 30 + "The last boat is at nine."
    index = make_index({"one.txt": text, "one.md": text, "one.html": f"<p>{text}</p>"})
    for file in ("one.txt", "one.md", "one.html"):
        article = index.article(file)
        start = article.text.index("The last boat")
        end = start + len("The last boat is at nine.")
        id = citation_id(article, start, end)
        assert id == f"{file}#{'' if file.endswith('html') else 'L1:'}c{start}-{end}"
        assert locate(id, index) == (article, (start, end))


def test_awkward_file_names_round_trip(index: Index) -> None:
    for file in index.files():
        article = index.article(file)
        for start, end in [(0, 8), (10, 30), (10, len(article.text) - 1)]:
            back, (left, right) = locate(citation_id(article, start, end), index)
            assert back.file == file
            assert left <= start < end <= right


def test_awkward_file_names_survive_a_real_index(make_index: Make) -> None:
    names = ["a #1.txt", "🙂 é.md", "folder #2/b c.txt", "a#L1.txt"]
    index = make_index(dict.fromkeys(names, NOTE))
    assert sorted(index.files()) == sorted(names)
    for file in names:
        article, (start, end) = locate(f"{file}#L3", index)
        assert (article.file, article.text[start:end]) == (
            file,
            "The pier of Dray was closed in 1987.",
        )


def test_a_file_name_alone_means_the_whole_article(index: Index) -> None:
    for file in index.files():
        article, whole = locate(file, index)
        assert (article.file, whole) == (file, (0, len(article.text)))


@pytest.mark.parametrize(
    "id",
    [
        "",
        "#",
        "#L1",
        "nothing.txt",
        "nothing.txt#L1",
        "A.TXT#L1",
        "./a.txt#L1",
        "../a.txt",
        "a.txt#L0",
        "a.txt#L6",
        "a.txt#L-1",
        "a.txt#L1-99",
        "a.txt#L3-1",
        "a.txt#",
        "a.txt#:",
        "a.txt#L",
        "a.txt#x",
        "a.txt#c5-5",
        "a.txt#c9-3",
        "a.txt#c0-9999",
        "page.html#c0-9999",
        "a.txt#L1:c-1-4",
        "a.txt#L" + "9" * 5000,
        "a.txt#c0-" + "9" * 5000,
        "a.txt#L1\n",
    ],
)
def test_a_wrong_id_is_refused(index: Index, id: str) -> None:
    with pytest.raises(UnknownCitation):
        locate(id, index)


def test_a_refusal_says_what_to_do(index: Index) -> None:
    with pytest.raises(UnknownCitation, match="`rag status` lists the files"):
        locate("nothing.txt#L1", index)
    with pytest.raises(UnknownCitation, match=r"a\.txt has 5 lines"):
        locate("a.txt#L6", index)
    with pytest.raises(UnknownCitation, match=rf"a\.txt has {len(NOTE)} characters"):
        locate("a.txt#c0-999", index)


TEXT = st.text(
    st.sampled_from("ab \n\r\u2028\u0085\x0c\0🙂é") | st.characters(codec="utf-8"), min_size=1
)


@st.composite
def ranges(draw: st.DrawFn) -> tuple[str, int, int]:
    text = draw(TEXT | st.just("x" * 700) | TEXT.map(lambda text: text * 90))
    start = draw(st.integers(0, len(text) - 1))
    return text, start, draw(st.integers(start + 1, len(text)))


@settings(max_examples=30, deadline=None, database=None)
@given(ranges(), st.booleans())
def test_any_range_of_any_text_is_found_again(part: tuple[str, int, int], numbered: bool) -> None:
    text, start, end = part
    article = Article("a #é.txt", "A", text, numbered)
    with tempfile.TemporaryDirectory() as folder:
        index = index_of(Path(folder), article)
        citation = cite(article, start, end)
        back, (left, right) = locate(citation.id, index)
        index.close()
    assert citation.quote == text[start:end]
    assert back == article
    assert left <= start
    # A line's end is no part of the line.
    assert end <= right or (end == right + 1 and text[right] == "\n")


@settings(max_examples=300, deadline=None, database=None)
@given(ranges())
def test_lines_are_what_splitting_at_line_ends_gives(part: tuple[str, int, int]) -> None:
    text, start, end = part
    first, last = Article("a.txt", "A", text, numbered=True).lines(start, end)
    lines = text.split("\n")
    # The number of a line for every character, its line end included.
    numbers = [number for number, line in enumerate(lines, 1) for _ in range(len(line) + 1)]
    assert (first, last) == (numbers[start], numbers[end - 1])
    left, right = line_range(Article("a.txt", "A", text, numbered=True), first, last)
    assert text[left:right] == "\n".join(lines[first - 1 : last])
    assert Article("a.html", "A", text, numbered=False).lines(start, end) is None
