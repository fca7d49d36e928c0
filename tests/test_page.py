"""The page in a real browser: conversations, the library, filters, and everybody's access."""

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index.build import build
from rag import Answer
from tests.pages import (
    CHIPS,
    PHONE,
    QUESTION,
    expect,
    lit,
    needs_browser,
    no_sideways_scroll,
    put,
    start,
)
from ui.chat import Chat
from ui.library import Library

pytestmark = needs_browser
VIEWS = [{}, {"color_scheme": "dark"}, PHONE]
NAMES = ["desktop", "dark", "phone"]
views = pytest.mark.parametrize("view", VIEWS, ids=NAMES)


@pytest.fixture
def own(tmp_path: Path, models: Path) -> Iterator[tuple[Path, Path, str]]:
    """A small library of its own: the folder of articles, of the index, and the address."""
    articles, folder = tmp_path / "articles", tmp_path / ".rag"
    (articles / "news").mkdir(parents=True)
    (articles / "mill.md").write_text(
        "# The mill at Dray\n\nDate: 2019-05-04\n\n"
        "The mill at Dray was built in 1802. It ground barley.\n"
    )
    (articles / "news" / "mill.txt").write_text(
        "Mill for sale\n\nThe mill at Dray was built in 1811. The price is 400,000 euros.\n"
    )
    (articles / "news" / "[old].txt").write_text(
        "The ferry at Orn sank in 1950 with all its cargo.\n"
    )
    shutil.copytree(models, folder / "models")
    for _ in build([articles], folder):
        pass
    yield from ((articles, folder, address) for address in start(Chat(folder)))


def open_library(page) -> object:
    page.locator("#open-library").click()
    library = page.locator(".fn-library")
    expect(library.locator(".fn-table tbody tr").first).to_be_visible()
    return library


# --- Conversations --------------------------------------------------------------------------


def test_a_conversation_survives_a_reload_and_goes_on(open_page, address) -> None:
    page = open_page(address)
    put(page, "How tall is the tower at Skerrow Point?")
    page.reload()
    expect(page.locator("#chat .bot-row")).to_have_count(1)
    answer = put(page, "Who designed it?")
    expect(answer).to_contain_text("Lorne")
    expect(page.locator("#chat .bot-row")).to_have_count(2)


@views
def test_conversations_are_listed_searched_renamed_saved_and_deleted(
    open_page, address, view
) -> None:
    page = open_page(address, **view)
    put(page, QUESTION)
    page.locator("#open-new").click()
    expect(page.locator("#chat .message-row")).to_have_count(0)
    put(page, "When was the Weir Footbridge opened?")
    page.locator("#open-conversations").click()
    drawer = page.locator(".fn-conversations")
    expect(drawer.locator(".fn-entry")).to_have_count(2)
    assert no_sideways_scroll(page)
    drawer.get_by_role("searchbox").fill("94 metres")
    expect(drawer.locator(".fn-entry")).to_have_count(1)
    drawer.locator(".fn-dots").click()
    drawer.get_by_role("button", name="Rename").click()
    drawer.get_by_role("textbox", name="Rename").fill("The <b>bridge</b>")
    drawer.get_by_role("button", name="Save").click()
    expect(drawer.locator(".fn-entry .fn-open")).to_contain_text("The <b>bridge</b>")
    drawer.locator(".fn-dots").click()
    with page.expect_download() as saved:
        drawer.get_by_role("button", name="Save as Markdown").click()
    text = Path(saved.value.path()).read_text()
    assert saved.value.suggested_filename == "The bbridgeb.md"
    assert QUESTION in text and "94 metres" in text and "orrin-bridge-repair.txt" in text
    drawer.locator(".fn-entry .fn-open").click()
    expect(page.locator("#chat .user-row")).to_have_text(QUESTION)
    page.locator("#open-conversations").click()
    drawer.locator(".fn-dots").last.click()
    drawer.get_by_role("button", name="Delete").locator("visible=true").click()
    page.locator(".fn-asking").get_by_role("button", name="Keep it").click()
    expect(drawer.locator(".fn-entry")).to_have_count(2)
    drawer.locator(".fn-dots").last.click()
    drawer.get_by_role("button", name="Delete").locator("visible=true").click()
    page.locator(".fn-asking").get_by_role("button", name="Delete").click()
    expect(drawer.locator(".fn-entry")).to_have_count(1)


def test_nobody_sees_the_conversations_of_somebody_else(open_page, address) -> None:
    put(open_page(address), QUESTION)
    other = open_page(address)
    other.locator("#open-conversations").click()
    expect(other.locator(".fn-conversations")).to_contain_text("Your conversations are kept here")


def test_a_link_to_an_answer_and_a_citation_opens_the_same_for_a_colleague(
    open_page, address
) -> None:
    page = open_page(address)
    answer = put(page, QUESTION)
    answer.get_by_role("link", name="Copy link").click()
    expect(answer.locator("a[data-done]")).to_be_visible()
    to_answer = page.evaluate("navigator.clipboard.readText()")
    answer.locator('a[href^="#src-"]').first.click()
    page.locator("#panel .fn-menu summary").click()
    page.locator("#panel").get_by_role("button", name="Copy link").click()
    expect(page.locator("#panel summary[data-done]")).to_be_visible()
    to_citation = page.evaluate("navigator.clipboard.readText()")
    assert to_citation.startswith(to_answer + "#src-")
    told = answer.locator(".md").inner_text()

    other = open_page(to_answer)
    expect(other.locator("#chat .bot-row .md")).to_have_text(told, use_inner_text=True)
    other = open_page(to_citation)
    expect(other.locator("#panel mark").first).to_be_in_viewport()
    assert lit(other) == lit(page)
    gone = open_page(f"{address}/?answer={'0' * 32}")
    expect(gone.locator("#note")).to_contain_text("no longer kept")


def test_a_question_is_edited_and_asked_again(open_page, address) -> None:
    page = open_page(address)
    put(page, "How tall is the tower at Skerrow Point?")
    put(page, "Who designed it?")
    page.locator("#chat .user-row").first.hover()
    page.locator("#chat .user-row").first.get_by_role("button", name="Edit").click()
    field = page.locator("#chat .user-row textarea")
    field.fill(QUESTION)
    page.locator("#chat").get_by_role("button", name="Submit").click()
    expect(page.locator("#chat .bot-row")).to_have_count(1)
    expect(page.locator("#chat .bot-row")).to_contain_text("94 metres")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator("#chat .bot-row")).to_have_count(1)
    expect(page.locator("#chat .bot-row")).to_contain_text("94 metres")


def test_what_somebody_thinks_of_an_answer_is_written_down(open_page, own) -> None:
    _, folder, address = own
    page = open_page(address)
    answer = put(page, "When did the ferry at Orn sink?")
    answer.get_by_role("button", name="Like", exact=True).click()
    expect(page.locator("#note")).to_contain_text("feedback.jsonl")
    answer.get_by_role("button", name="Feedback").hover()
    answer.get_by_role("button", name="The quoted passage does not say this").click()
    file = folder / "feedback.jsonl"
    for _ in range(50):
        verdicts = [json.loads(line)["verdict"] for line in file.read_text().splitlines()]
        if len(verdicts) == 2:
            break
        time.sleep(0.1)
    assert verdicts == ["right", "source"]


def test_suggestions_are_asked_by_a_click(open_page, address) -> None:
    page = open_page(address)
    put(page, "When was the Skerrow light first lit?")
    suggestion = page.locator(".fn-go-on button").first
    words = suggestion.inner_text()
    suggestion.click()
    expect(page.locator("#chat .user-row").last).to_have_text(words)
    expect(page.locator("#chat .bot-row").last.locator('a[href^="#src-"]').first).to_be_visible()


# --- Checking -------------------------------------------------------------------------------


@views
def test_a_disagreement_stands_side_by_side_with_both_passages_lit(open_page, own, view) -> None:
    page = open_page(own[2], **view)
    put(page, "When was the mill at Dray built?")
    expect(page.locator("#chat h4")).to_have_text("Your sources disagree")
    if view is PHONE:
        page.locator("#open-sources").tap()
    marks = page.locator("#panel .fn-column mark.fn-short")
    expect(marks).to_have_count(2)
    assert set(marks.all_text_contents()) == {"1802", "1811"}
    boxes = [column.bounding_box() for column in page.locator("#panel .fn-column").all()]
    if view is not PHONE:
        assert boxes[0]["y"] == boxes[1]["y"] and boxes[0]["x"] < boxes[1]["x"]
    assert no_sideways_scroll(page)


def test_citations_are_walked_through_by_keys(open_page, own) -> None:
    page = open_page(own[2])
    put(page, "When was the mill at Dray built?")
    page.locator(CHIPS).first.click()
    expect(page.locator("#panel .fn-count")).to_have_text("1 of 2")
    first = page.locator("#panel .fn-bar").inner_text()
    page.keyboard.press("]")
    expect(page.locator("#panel .fn-count")).to_have_text("2 of 2")
    assert page.locator("#panel .fn-bar").inner_text() != first
    page.keyboard.press("]")
    expect(page.locator("#panel .fn-count")).to_have_text("1 of 2")
    page.keyboard.press("[")
    expect(page.locator("#panel .fn-count")).to_have_text("2 of 2")


def test_a_quote_is_copied_with_its_reference(open_page, address) -> None:
    page = open_page(address)
    put(page, QUESTION)
    page.locator(CHIPS).first.click()
    for form, mark in (("As text", "line 5"), ("As Markdown", "> "), ("As BibTeX", "@misc{")):
        page.locator("#panel .fn-menu summary").click()
        page.get_by_role("button", name=form).click()
        expect(page.locator("#panel .fn-menu")).not_to_have_attribute("open", "")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert mark in copied and "94 metres" in copied and "orrin-bridge-repair.txt" in copied


def test_a_file_that_has_changed_since_is_told_of(open_page, own) -> None:
    articles, _, address = own
    page = open_page(address)
    put(page, "When did the ferry at Orn sink?")
    page.locator(CHIPS).first.click()
    expect(page.locator("#panel mark").first).to_be_visible()
    expect(page.locator("#panel .fn-note")).to_have_count(0)
    (articles / "news" / "[old].txt").write_text(
        "The ferry at Orn sank in 1951 with all its cargo.\n"
    )
    page.locator("#panel .fn-back").click()
    page.locator("#panel .fn-card").first.click()
    expect(page.locator("#panel .fn-note")).to_contain_text("has changed since it was indexed")
    assert "1950" in lit(page)


# --- Filters --------------------------------------------------------------------------------


@views
def test_only_chosen_articles_are_asked(open_page, own, view) -> None:
    page = open_page(own[2], **view)
    page.get_by_role("button", name="Choose articles").click()
    dialog = page.locator(".fn-filter")
    dialog.get_by_label("news/", exact=True).check()
    assert no_sideways_scroll(page)
    dialog.get_by_role("button", name="Done").click()
    expect(page.locator("#only")).to_contain_text("Only news/*")
    answer = put(page, "When was the mill at Dray built?")
    expect(answer).to_contain_text("Only news/*")
    expect(answer).to_contain_text("1811")
    expect(answer).not_to_contain_text("1802")
    page.get_by_role("button", name="Ask all articles again").click()
    expect(put(page, "When was the mill at Dray built?")).to_contain_text("1802")

    page.get_by_role("button", name="Choose articles").click()
    dialog.get_by_role("searchbox").fill("[old]")
    dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Done").click()
    expect(put(page, "When did the ferry at Orn sink?")).to_contain_text("1950")
    page.get_by_role("button", name="Only [old].txt").or_(page.locator(".fn-chosen")).click()
    dialog.get_by_role("button", name="All articles").click()
    page.get_by_role("button", name="Choose articles").click()
    dialog.get_by_label("From").fill("2019-01-01")
    dialog.get_by_label("From").press("Tab")
    dialog.get_by_role("button", name="Done").click()
    answer = put(page, "When was the mill at Dray built?")
    expect(answer).to_contain_text("Only since 2019-01-01")
    expect(answer).not_to_contain_text("1811")


# --- The library ----------------------------------------------------------------------------


@views
def test_the_library_lists_sorts_finds_and_previews(open_page, address, view) -> None:
    page = open_page(address, **view)
    library = open_library(page)
    rows = library.locator("tbody tr")
    expect(rows).to_have_count(22)
    assert no_sideways_scroll(page)
    library.get_by_role("searchbox").fill("orrin")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Orrin Bridge reopens")
    if view is not PHONE:
        library.get_by_role("searchbox").fill("")
        for _ in range(2):
            library.get_by_role("button", name="Words").click()
        words = [
            int(text.replace(",", "")) for text in library.locator("td.col-words").all_inner_texts()
        ]
        assert words == sorted(words, reverse=True)
        expect(library.locator("th.col-words")).to_have_attribute("aria-sort", "descending")
        library.get_by_role("searchbox").fill("orrin")
    library.locator(".fn-open").first.click()
    expect(library).to_be_hidden()
    expect(page.locator("#panel .fn-title").first).to_contain_text("Orrin Bridge")
    expect(page.locator("#panel mark")).to_have_count(0)


def test_an_article_is_added_answers_and_is_removed_again(open_page, own, tmp_path) -> None:
    articles, folder, address = own
    page = open_page(address)
    library = open_library(page)
    with page.expect_file_chooser() as chooser:
        library.get_by_role("button", name="Add articles").click()
    chooser.value.set_files(
        [{"name": "../../zeppelin.md", "mimeType": "text/markdown",
          "buffer": b"# Zeppelins\n\nThe Zorn zeppelin flew in 1931 over the Kalde ridge.\n"}]
    )  # fmt: skip
    expect(library.locator(".fn-build")).to_contain_text("1 new", timeout=60_000)
    expect(library.locator("tbody")).to_contain_text("uploads/zeppelin.md")
    assert (articles / "uploads" / "zeppelin.md").is_file()
    assert not (tmp_path / "zeppelin.md").exists()
    page.keyboard.press("Escape")
    expect(put(page, "When did the Zorn zeppelin fly?")).to_contain_text("1931")

    library = open_library(page)
    library.get_by_role("button", name="Remove uploads/zeppelin.md").click()
    page.locator(".fn-asking").get_by_role("button", name="Remove").click()
    expect(library.locator(".fn-build")).to_contain_text("1 removed", timeout=60_000)
    expect(library.locator("tbody")).not_to_contain_text("zeppelin")
    assert list((folder / "removed").rglob("zeppelin.md"))

    with page.expect_file_chooser() as chooser:
        library.get_by_role("button", name="Add articles").click()
    chooser.value.set_files([{"name": "x.exe", "mimeType": "x/y", "buffer": b"MZ"}])
    expect(library.locator(".fn-build")).to_contain_text("add one of txt")
    assert not list(articles.rglob("*.exe"))

    dropped = page.evaluate_handle(
        """() => {
          const dropped = new DataTransfer();
          dropped.items.add(new File(['The Zorn glider flew in 1935.\\n'], 'glider.txt'));
          return dropped;
        }"""
    )
    library.dispatch_event("dragover", {"dataTransfer": dropped})
    expect(library).to_have_attribute("data-drop", re.compile("Drop files here"))
    library.dispatch_event("drop", {"dataTransfer": dropped})
    expect(library.locator(".fn-build")).to_contain_text("1 new", timeout=60_000)
    expect(library.locator("tbody")).to_contain_text("uploads/glider.txt")


def test_changed_files_are_counted_and_one_click_updates(open_page, own) -> None:
    articles, _, address = own
    (articles / "mill.md").write_text("# The mill at Dray\n\nThe mill at Dray was built in 1811.\n")
    (articles / "new.md").write_text("# Kites\n\nThe longest kite of Orn is 90 metres long.\n")
    page = open_page(address)
    expect(page.locator("#open-library")).to_have_attribute("data-count", "2")
    library = open_library(page)
    expect(library.locator(".fn-build")).to_contain_text("2 changed since the last build")
    library.get_by_role("button", name="Update the index").click()
    expect(library.locator(".fn-build")).to_contain_text("1 new, 1 changed", timeout=60_000)
    expect(page.locator("#open-library")).to_have_attribute("data-count", "")
    page.keyboard.press("Escape")
    expect(put(page, "How long is the longest kite of Orn?")).to_contain_text("90 metres")


def test_an_update_shows_how_far_it_is_and_can_be_cancelled(open_page, own) -> None:
    articles, folder, address = own
    for number in range(900):
        text = f"Village {number} lies on the river Orn and has {number} houses. " * 6
        (articles / f"village-{number}.md").write_text(text)
    before = sorted(path.name for path in (folder / "builds").iterdir())
    page = open_page(address)
    library = open_library(page)
    library.get_by_role("button", name="Update the index").click()
    expect(library.locator(".fn-build progress")).to_have_attribute("max", re.compile(r"\d{3}"))
    expect(library.locator(".fn-build")).to_contain_text("embedding: ", timeout=30_000)
    page.keyboard.press("Escape")
    expect(put(page, "When did the ferry at Orn sink?")).to_contain_text("1950")
    library = open_library(page)
    library.get_by_role("button", name="Cancel").click()
    expect(library.locator(".fn-build")).to_contain_text("Cancelled", timeout=30_000)
    assert sorted(path.name for path in (folder / "builds").iterdir()) == before


def test_without_an_index_one_click_makes_it(open_page, tmp_path, models) -> None:
    articles, folder = tmp_path / "articles", tmp_path / ".rag"
    articles.mkdir()
    (articles / "kite.md").write_text("# Kites\n\nThe longest kite of Orn is 90 metres long.\n")
    shutil.copytree(models, folder / "models")
    library = Library(folder, sources=[articles])
    for address in start(Chat(folder, library=library)):
        page = open_page(address)
        expect(page.locator("#chat .placeholder")).to_contain_text("No articles yet")
        page.locator('#chat a[href="#build"]').click()
        expect(page.locator(".fn-build")).to_contain_text("1 new", timeout=60_000)
        page.keyboard.press("Escape")
        expect(page.locator("#chat .placeholder")).to_contain_text("your article")
        expect(put(page, "How long is the longest kite of Orn?")).to_contain_text("90 metres")


def test_others_may_look_at_the_library_and_not_change_it(open_page, sample_index) -> None:
    library = Library(sample_index, changeable=False)
    for address in start(Chat(sample_index, library=library)):
        page = open_page(address)
        shown = open_library(page)
        expect(shown.get_by_role("button", name="Add articles")).to_have_count(0)
        answer = page.evaluate("window.footnote.call('rebuild')")
        assert "error" in answer


@views
def test_the_map_shows_the_question_among_the_passages(open_page, address, view) -> None:
    page = open_page(address, **view)
    put(page, QUESTION)
    open_library(page)
    page.get_by_role("tab", name="Map").click()
    canvas = page.locator(".fn-map canvas")
    expect(canvas).to_have_attribute("aria-label", re.compile(r"\d+ points"))
    expect(page.locator(".fn-told")).to_contain_text("ringed")
    # A canvas whose size has just changed is empty until the next frame.
    page.wait_for_function(
        "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)"
        ".data.some((value) => value > 0)",
        arg=canvas.element_handle(),
    )
    assert no_sideways_scroll(page)
    page.locator(".fn-legend button").first.click()
    expect(page.locator("#panel .fn-body .fn-block").first).to_be_visible()


def test_the_timeline_has_the_dated_articles_in_order(open_page, address) -> None:
    page = open_page(address)
    open_library(page)
    page.get_by_role("tab", name="Timeline").click()
    expect(page.locator(".fn-timeline time").first).to_be_visible()
    dates = page.locator(".fn-timeline time").all_inner_texts()
    assert len(dates) > 3
    assert dates == sorted(dates)


# --- Everybody ------------------------------------------------------------------------------


@pytest.mark.parametrize("view", [*VIEWS, {"reduced_motion": "reduce"}], ids=[*NAMES, "still"])
def test_axe_finds_nothing(open_page, own, view) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(own[2], **view)
    told: list[str] = []

    def check(what: str) -> None:
        found = axe.run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]})
        told.extend(
            f"{what}: {one['id']} {[node['target'] for node in one['nodes'][:3]]}"
            for one in found.response["violations"]
        )

    expect(page.locator("#chat .placeholder")).to_be_visible()
    check("empty page")
    put(page, "When did the ferry at Orn sink?")
    check("answer")
    page.locator(CHIPS).first.click()
    expect(page.locator("#panel mark").first).to_be_visible()
    page.wait_for_timeout(400)  # A sheet slides in.
    check("article")
    page.keyboard.press("Escape")
    put(page, "When was the mill at Dray built?")
    check("disagreement")
    page.keyboard.press("Escape")
    put(page, "Who won the chess match in Peru?")
    check("refusal")
    page.keyboard.press("Escape")
    page.locator("#open-conversations").click()
    expect(page.locator(".fn-entry").first).to_be_visible()
    check("conversations")
    page.keyboard.press("Escape")
    open_library(page)
    check("library")
    for view_name in ("Map", "Timeline"):
        page.get_by_role("tab", name=view_name).click()
        page.wait_for_timeout(300)
        check(view_name)
    page.keyboard.press("Escape")
    page.locator("#only .fn-chosen").click()
    expect(page.locator(".fn-choices input").first).to_be_visible()
    check("choosing")
    assert told == []


def test_the_keyboard_alone_is_enough(open_page, own) -> None:
    page = open_page(own[2])
    put(page, "When did the ferry at Orn sink?")
    seen = []
    page.locator("#open-new").focus()
    for _ in range(30):
        seen.append(
            page.evaluate(
                "(({ id, ariaLabel, textContent }) => id || ariaLabel || textContent)"
                "(document.activeElement)"
            )
        )
        if page.evaluate("document.activeElement === document.body"):
            break  # Past the last one.
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert (
            ring != "none" or "textarea" in page.evaluate("document.activeElement.tagName").lower()
        ), seen[-1]
        page.keyboard.press("Tab")
    for name in (
        "open-conversations",
        "open-library",
        "open-sources",
        "theme",
        "Copy message",
        "Retry",
    ):
        assert name in seen, (name, seen)
    page.locator("#open-library").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".fn-library")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".fn-library")).to_be_hidden()
    expect(page.locator("#open-library")).to_be_focused()


def test_right_to_left_text_runs_from_the_right(open_page, tmp_path, models) -> None:
    articles, folder = tmp_path / "articles", tmp_path / ".rag"
    articles.mkdir()
    (articles / "pol.txt").write_text(
        "پل اورین در سال ۱۹۳۶ ساخته شد. طول آن ۹۴ متر است.\n", "utf-8"
    )
    shutil.copytree(models, folder / "models")
    for _ in build([articles], folder):
        pass
    for address in start(Chat(folder)):
        page = open_page(address)
        answer = put(page, "طول پل اورین چند متر است؟")
        question = page.locator("#chat .user-row p")
        assert question.evaluate("p => getComputedStyle(p).direction") == "rtl"
        answer.locator('a[href^="#src-"]').first.click()
        block = page.locator("#panel .fn-block").first
        assert block.evaluate("p => getComputedStyle(p).direction") == "rtl"


def test_nothing_moves_while_an_answer_streams(open_page, sample_index) -> None:
    from rag import Index, Sentence
    from rag.cite import cite

    def slowly(question: str, index: Index, **_: object) -> Iterator[Answer]:
        article = index.article("skerrow-light.md")
        assert article is not None
        ranges = article.sentences[2:10]
        citations = tuple(cite(article, *r, number=n) for n, r in enumerate(ranges, 1))
        for count in range(1, len(citations) + 1):
            said = tuple(
                Sentence(article.shown(one.start, one.end), (one.number,))
                for one in citations[:count]
            )
            yield Answer(question, question, True, (said,), citations=citations[:count])
            time.sleep(0.15)

    for address in start(Chat(sample_index, slowly)):
        page = open_page(address)
        put(page, "Once")
        page.evaluate(
            "window.moved = 0; new PerformanceObserver((list) => { for (const one of "
            "list.getEntries()) if (!one.hadRecentInput) window.moved += one.value; })"
            ".observe({ type: 'layout-shift', buffered: false })"
        )
        page.wait_for_timeout(700)
        page.evaluate("window.moved = 0")
        put(page, "Twice")
        assert page.evaluate("window.moved") < 0.1  # What web.dev calls good.


def test_a_server_that_has_stopped_is_told_of(open_page, sample_index) -> None:
    server = start(Chat(sample_index))
    page = open_page(next(server), ignore_errors=True)
    put(page, QUESTION)
    for _ in server:
        pass
    page.locator("#chat " + 'a[href^="#src-"]').first.click()
    expect(page.locator("#say")).to_contain_text("Footnote does not answer")


def test_two_hundred_messages_stay_quick_to_ask_and_to_open(open_page, sample_index) -> None:
    chat = Chat(sample_index)
    owner: Callable[[str], str] = "browser:{}".format
    for address in start(chat):
        page = open_page(address)
        put(page, QUESTION)
        cookie = page.evaluate("document.cookie.match(/footnote=([0-9a-f]{32})/)[1]")
        (one,) = chat.conversations.list(owner(cookie))
        (kept,) = chat.conversations.exchanges(owner(cookie), one.id)
        from dataclasses import replace

        for number in range(99):
            chat.conversations.keep(owner(cookie), one.id, replace(kept, id=f"{number:032x}"))
        page.reload()
        expect(page.locator("#chat .bot-row")).to_have_count(100)
        expect(put(page, "When was the Weir Footbridge opened?")).to_contain_text("2023")
