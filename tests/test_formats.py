"""Every format gets in whole, points back exactly, and breaks with one sentence."""

import contextlib
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import docx
import pytest
from odf.meta import CreationDate, InitialCreator
from odf.opendocument import OpenDocumentText
from odf.table import Table, TableCell, TableRow
from odf.text import H, List, ListItem, P
from PIL import Image

from index import Index
from index.archive import LARGEST_CONTENT
from index.chunk import chunk_ranges
from index.read import READERS, read_article
from index.types import Article, Unreadable
from rag.answer import ask
from rag.cite import cite, locate
from ui.article import source
from ui.render import Target, fingerprint

Make = Callable[[dict[str, str | bytes]], Index]
DATA = Path(__file__).parent / "data" / "formats"
TITLE = "The harbour ledger"
FIRE = "The clerk Ingeborg Fell carried the fourteen volumes across the ice."
SALT = "A barrel of salt cost three dalers."


def make_docx() -> bytes:
    document = docx.Document()
    document.core_properties.title = TITLE
    document.core_properties.author = "Torborg Anskar"
    document.add_heading(TITLE, 0)
    document.add_heading("The fire", 1)
    paragraph = document.add_paragraph("The clerk Ingeborg Fell ")
    paragraph.add_run("carried").bold = True
    paragraph.add_run(" the fourteen volumes across the ice.")
    document.add_heading("Prices", 1)
    document.add_paragraph(SALT, style="List Bullet")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Herring", "nine dalers"
    document.sections[0].footer.paragraphs[0].text = "Annals, vol. 12"
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


def make_odt() -> bytes:
    document = OpenDocumentText()
    document.meta.addElement(InitialCreator(text="Torborg Anskar"))
    document.meta.addElement(CreationDate(text="2022-03-14T09:00:00"))
    document.text.addElement(H(outlinelevel=1, text=TITLE))
    document.text.addElement(H(outlinelevel=2, text="The fire"))
    document.text.addElement(P(text=FIRE))
    document.text.addElement(H(outlinelevel=2, text="Prices"))
    items, item = List(), ListItem()
    item.addElement(P(text=SALT))
    items.addElement(item)
    document.text.addElement(items)
    table, row = Table(), TableRow()
    for words in ("Herring", "nine dalers"):
        cell = TableCell()
        cell.addElement(P(text=words))
        row.addElement(cell)
    table.addElement(row)
    document.text.addElement(table)
    kept = io.BytesIO()
    document.save(kept)
    return kept.getvalue()


def make_epub(**changed: str) -> bytes:
    page = '<?xml version="1.0" encoding="utf-8"?><html><body>{}</body></html>'
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="OEBPS/book.opf"/>'
        "</rootfiles></container>",
        "OEBPS/book.opf": '<package xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>{TITLE}</dc:title><dc:creator>Torborg Anskar</dc:creator>"
        "<dc:date>2022-03-14</dc:date></metadata><manifest>"
        '<item id="n" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        '<item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="a" href="one%20.xhtml" media-type="application/xhtml+xml"/>'
        '</manifest><spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/></spine>'
        "</package>",
        "OEBPS/nav.xhtml": page.format("<ol><li>The fire</li></ol>"),
        "OEBPS/one .xhtml": page.format(f"<h1>{TITLE}</h1><h2>The fire</h2><p>{FIRE}</p>"),
        "OEBPS/two.xhtml": page.format(
            f"<h2>Prices</h2><ul><li>{SALT}</li></ul><p>Herring cost nine dalers.</p>"
        ),
    } | changed
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return kept.getvalue()


def make_rtf() -> bytes:
    return (
        r"{\rtf1\ansi\ansicpg1252{\fonttbl\f0 Arial;}\f0\b " + TITLE + r"\b0\par"
        "\n" + FIRE + r"\par" + "\n" + SALT + r" The caf\'e9 sold herring at nine dalers.\par}"
    ).encode()


def make_jsonl() -> bytes:
    records = [
        {"title": TITLE, "text": FIRE, "id": 1},
        {"title": "Prices", "text": f"{SALT}\nHerring cost nine dalers."},
    ]
    return "\n".join(map(json.dumps, records)).encode()


MADE = {
    "ledger.docx": make_docx,
    "ledger.odt": make_odt,
    "ledger.epub": make_epub,
    "ledger.rtf": make_rtf,
    "ledger.jsonl": make_jsonl,
    "ledger.pdf": (DATA / "ledger.pdf").read_bytes,
}


@pytest.fixture(scope="module", params=MADE)
def article(request: pytest.FixtureRequest) -> Article:
    return read_article(request.param, MADE[request.param]())


def test_all_that_was_written_is_read(article: Article) -> None:
    whole = article.shown(0, len(article.text))
    assert article.title.startswith(TITLE)
    for words in ("carried the fourteen volumes across the ice", "arrel of salt cost three"):
        assert words in whole
    assert ("nine dalers" in whole) == (not article.pages)
    assert article.author == ("" if article.file.endswith(("rtf", "jsonl")) else "Torborg Anskar")


def test_what_is_read_is_cut_into_chunks_or_listed_as_left_out(article: Article) -> None:
    kept = [False] * len(article.text)
    for start, end in [*chunk_ranges(article), *((gap.start, gap.end) for gap in article.left_out)]:
        kept[start:end] = [True] * (end - start)
    assert all(there or char.isspace() for there, char in zip(kept, article.text, strict=True))


def test_a_citation_finds_its_way_back(article: Article, make_index: Make) -> None:
    index = make_index({article.file: MADE[article.file]()})
    *_, answer = ask("Who carried the volumes across the ice?", index)
    assert answer.short_answer == "Ingeborg Fell"
    [citation] = answer.citations
    assert article.text[citation.start : citation.end] == citation.quote
    found, (start, end) = locate(citation.id, index)
    assert (found.file, found.text[start:end]) == (article.file, citation.quote)
    if not article.file.endswith("rtf"):
        assert article.pages or citation.heading in {"The fire", TITLE}


def test_what_stands_beside_the_text_is_left_out_with_the_reason() -> None:
    def left_out(file: str) -> set[tuple[str, str]]:
        article = read_article(file, MADE[file]())
        return {(article.text[gap.start : gap.end], gap.reason) for gap in article.left_out}

    assert left_out("ledger.docx") == {("Annals, vol. 12", "page footer")}
    assert left_out("ledger.epub") == {("1. The fire", "table of contents")}
    running = {("Annals of the Northern Coast, vol. 12", "page header or footer")}
    assert left_out("ledger.pdf") == running | {
        (str(number), "page header or footer") for number in range(1, 6)
    }


def test_a_table_row_and_a_list_item_are_read_as_such() -> None:
    for file in ("ledger.docx", "ledger.odt"):
        article = read_article(file, MADE[file]())
        assert "Herring | nine dalers" in article.text
        assert f"• {SALT}" in article.text
        assert article.shown(0, len(article.text)).count("•") == 0


def test_a_docx_keeps_tracked_insertions_text_boxes_and_notes() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("It burned in ")
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraph._p.append(
        docx.oxml.parse_xml(
            f'<w:ins xmlns:w="{word}"><w:r><w:t>1743 </w:t></w:r></w:ins>',
        )
    )
    paragraph._p.append(
        docx.oxml.parse_xml(
            f'<w:del xmlns:w="{word}"><w:r><w:delText>1744</w:delText></w:r></w:del>',
        )
    )
    paragraph._p.append(
        docx.oxml.parse_xml(
            f'<w:r xmlns:w="{word}"><w:pict><w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r>'
            "</w:p></w:txbxContent></w:pict></w:r>",
        )
    )
    kept = io.BytesIO()
    document.save(kept)
    assert read_article("a.docx", kept.getvalue()).text == "It burned in 1743\n\nIn a box."


# PDF: pages, and words and sentences over the ends of lines and pages.


@pytest.fixture(scope="module")
def pages() -> Article:
    return read_article("ledger.pdf", MADE["ledger.pdf"]())


@pytest.mark.parametrize(
    ("words", "page", "lines"),
    [
        ("The clerk Ingeborg Fell carried the fourteen volumes", 2, (10, 12)),
        ("Nobody knows why the lines for 1811", 4, (11, 12)),
        ("The archivist Per Lunde thinks", 4, None),
    ],
)
def test_a_sentence_of_a_pdf_is_on_its_page(
    pages: Article, words: str, page: int, lines: tuple[int, int] | None
) -> None:
    start, end = next(one for one in pages.sentences if pages.shown(*one).startswith(words))
    citation = cite(pages, start, end)
    assert (citation.page, citation.lines) == (page, lines)
    assert citation.id == f"ledger.pdf#p{page}:c{start}-{end}"


def test_words_cut_at_a_line_end_are_whole_and_hyphens_that_belong_stay(pages: Article) -> None:
    whole = pages.shown(0, len(pages.text))
    assert "the southern storehouses." in whole
    assert "the so-called glass herring" in whole
    assert not re.search("[\u00ad\u0002\ufffe]", pages.text)


def test_headings_of_a_pdf_are_known_by_their_size(pages: Article) -> None:
    assert [heading.text for heading in pages.headings][1:] == [
        "The fire",
        "Salt and herring",
        "Green ink",
    ]


def test_a_page_can_be_named(make_index: Make) -> None:
    index = make_index({"ledger.pdf": MADE["ledger.pdf"]()})
    article, (start, end) = locate("ledger.pdf#p2", index)
    assert article.text[start:end].startswith("The harbour office")


def test_the_lines_of_a_page_flow_on_in_the_panel(pages: Article) -> None:
    start = pages.text.index("They were paid")
    shown = source(pages, Target("", (start, start + 14), fingerprint("They were paid"), None))
    assert shown["place"] == "page 2, line 5"
    words = ["".join(run["text"] for run in block["runs"]) for block in shown["blocks"]]
    assert not any("\n" in block.strip() for block in words)
    assert any(block.startswith("The harbour office at Osmundsvik has kept a") for block in words)


# What cannot be read says why, and takes nothing down with it.


def scanned() -> bytes:
    kept = io.BytesIO()
    Image.new("L", (200, 100), 255).save(kept, "PDF")
    return kept.getvalue()


def bomb() -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"word/{number}.xml", bytes(LARGEST_CONTENT // 3))
    return kept.getvalue()


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("a.pdf", (DATA / "locked.pdf").read_bytes(), "encrypted"),
        ("a.pdf", scanned(), "no text in it: its pages are pictures"),
        ("a.pdf", b"%PDF-1.7 and no more", "damaged"),
        ("a.docx", b"PK\x03\x04 and no more", "damaged: it cannot be unpacked"),
        ("a.docx", make_epub(), "damaged"),
        ("a.docx", make_docx()[:-400], "damaged"),
        ("a.odt", make_epub(), "damaged"),
        ("a.epub", make_docx(), "damaged: no book"),
        ("a.epub", make_epub(**{"OEBPS/book.opf": "<package>"}), "damaged: no book"),
        ("a.rtf", b"plain text", "no rich text"),
        ("a.rtf", b"{\\rtf1 }", "no text in it"),
        ("a.jsonl", b'{"text": "Good."}\n{"text": ', "line 2 is no JSON"),
        ("a.jsonl", b'{"words": "Good."}', 'line 1 is no object with a "text"'),
        ("a.jsonl", b"[" * 100_000, "line 1 is no JSON"),
    ],
)
def test_a_broken_file_says_what_is_wrong(file: str, content: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=re.escape(reason)):
        read_article(file, content)


@pytest.mark.parametrize("file", ["a.docx", "a.odt", "a.epub"])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(file: str) -> None:
    with pytest.raises(Unreadable, match="unpacks to more than"):
        read_article(file, bomb())


def test_an_entity_is_not_followed() -> None:
    attack = (
        '<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><package '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>&x;</dc:title></metadata>'
        '<manifest><item id="a" href="two.xhtml" media-type="application/xhtml+xml"/></manifest>'
        '<spine><itemref idref="a"/></spine></package>'
    )
    article = read_article("a.epub", make_epub(**{"OEBPS/book.opf": attack}))
    assert "root" not in article.title + article.text


@pytest.mark.parametrize("name", sorted(MADE))
def test_half_a_file_never_raises_anything_else(name: str) -> None:
    whole = MADE[name]()
    for share in (0.2, 0.5, 0.8, 0.97):
        # What is left may still be read, as the first pages of a PDF.
        with contextlib.suppress(Unreadable):
            read_article(name, whole[: int(len(whole) * share)])


def test_every_format_of_the_table_is_tried_here() -> None:
    tried = {Path(name).suffix for name in MADE} | {".txt", ".text", ".md", ".markdown"}
    assert READERS.keys() - tried == {".html", ".htm", ".xhtml"}


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("a.jsonl", b'{"title": "\\ud800 pier", "text": "The pier \\udfff burnt in 1987."}'),
        ("a.rtf", rb"{\rtf1 The pier \u-10240? burnt in 1987.}"),
    ],
)
def test_half_a_character_is_a_mark(file: str, content: bytes) -> None:
    """What no encoding can write would stop the build of everything else."""
    article = read_article(file, content)
    assert "The pier � burnt in 1987." in article.text
    assert (article.text + article.title).encode()
    for start, end in article.sentences:
        assert article.text[start:end].encode()
