"""The page in a real browser: asking and checking."""

import json
import re
import shutil
import socket
import threading
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from rag import open_index
from rag.llm import load_llm
from tests.llm_server import MODEL, serving
from tests.pages import (
    CHIPS,
    PHONE,
    QUESTION,
    expect,
    final,
    lit,
    needs_browser,
    no_sideways_scroll,
    put,
    start,
    unused_port,
)
from ui.chat import Chat
from ui.render import link

pytestmark = needs_browser

BAD_NAME = "a](javascript:alert(1)) <img src=x onerror=hit()> ${hit()}.md"
BAD_ARTICLE = """# The <script>window.hit = 1</script> Zorblatt ![](http://evil.example/t.png)

The Zorblatt engine was built in 1931 by <img src=x onerror="window.hit=1"> [Ada](javascript:hit) \
and ${window.hit=1} {{7*7}} `code` $x^2$ [1](#src-0000000000000000-0-9-00000000).

<svg onload="window.hit=1"></svg> <form action="http://evil.example"><button>Go</button></form>
"""


def test_a_citation_lights_exactly_the_cited_sentence(open_page, address, sample_index) -> None:
    page = open_page(address)
    answer = put(page, QUESTION)
    truth = final(QUESTION, sample_index)
    expect(answer.locator("p strong").first).to_have_text(truth.short_answer)
    expect(answer).to_contain_text("Sources")
    expect(page.locator("#panel .fn-card").first).to_contain_text(truth.citations[0].title)

    chip = answer.locator('a[href^="#src-"]').first
    assert chip.get_attribute("href") == link(truth.citations[0])
    chip.click()
    mark = page.locator("#panel mark").first
    expect(mark).to_be_in_viewport()
    article = open_index(sample_index).article(truth.citations[0].file)
    assert lit(page) == article.shown(truth.citations[0].start, truth.citations[0].end)
    expect(page.locator("#panel mark.fn-short")).to_have_text(truth.short_answer)
    expect(page.locator("#panel .fn-bar")).to_contain_text("orrin-bridge-repair.txt · line 5")
    expect(chip).to_have_attribute("aria-current", "true")
    expect(page.locator("#panel .fn-left-out").first).to_have_attribute("title", re.compile("Left"))


def test_the_script_waits_for_the_page_to_be_drawn(open_page, address) -> None:
    page = open_page(
        address,
        before="""
            const real = Document.prototype.querySelector;
            let early = 3;
            Document.prototype.querySelector = function (selector) {
                return selector.includes('#main') && early-- > 0 ? null : real.call(this, selector);
            };
        """,
    )
    expect(page.locator("#open-library[aria-label=Library]")).to_be_visible()


def test_chips_of_older_answers_keep_working(open_page, address) -> None:
    page = open_page(address)
    put(page, QUESTION)
    put(page, "How tall is the tower at Skerrow Point?")
    page.locator(CHIPS).first.click()
    expect(page.locator("#panel .fn-bar")).to_contain_text("orrin-bridge-repair.txt")
    page.get_by_role("button", name="All sources").click()
    expect(page.locator("#panel .fn-card").first).to_be_visible()
    expect(page.locator("#panel mark")).to_have_count(0)


def test_an_example_is_asked_by_a_click(open_page, address) -> None:
    page = open_page(address)
    expect(page.locator("#chat .placeholder")).to_contain_text("22 articles")
    example = page.locator("#chat .example").first
    question = example.inner_text()
    example.click()
    expect(page.locator("#chat .user-row")).to_have_text(question)
    expect(page.locator("#chat .bot-row").locator('a[href^="#src-"]').first).to_be_visible()


def test_dark_follows_the_system_and_the_choice_is_kept(open_page, address) -> None:
    page = open_page(address, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(16, 20, 19)"
    theme = page.get_by_role("button", name="Colours: as the system has them")
    theme.click()
    assert page.evaluate(background) == "rgb(251, 250, 247)"
    page.reload()
    expect(page.locator("#ask textarea")).to_be_visible()
    assert page.evaluate(background) == "rgb(251, 250, 247)"


def test_on_a_phone_the_source_is_a_sheet(open_page, address) -> None:
    page = open_page(address, **PHONE)
    assert no_sideways_scroll(page)
    answer = put(page, QUESTION)
    expect(page.locator("#panel .fn-close")).to_be_hidden()
    answer.locator('a[href^="#src-"]').first.tap()
    expect(page.locator("#panel mark").first).to_be_in_viewport()
    page.locator("#panel .fn-body").evaluate("body => body.scrollTop = body.scrollHeight")
    expect(page.locator("#panel .fn-close")).to_be_in_viewport(ratio=1)
    page.wait_for_timeout(300)  # The sheet slides in.
    assert 580 < page.locator("#panel").bounding_box()["height"] < 640
    assert no_sideways_scroll(page)
    page.locator("#panel .fn-close").tap()
    expect(page.locator("#panel .fn-close")).to_be_hidden()


def test_a_refusal_is_plain_and_shows_the_nearest_passages(open_page, address) -> None:
    page = open_page(address)
    answer = put(page, "What does the Python keyword 'yield' do?")
    expect(answer).to_contain_text("Nearest passages")
    expect(answer.locator("strong")).to_have_count(0)
    answer.locator('a[href^="#src-"]').first.click()
    expect(page.locator("#panel mark").first).to_be_in_viewport()


def test_a_follow_up_says_what_was_searched_for(open_page, address) -> None:
    page = open_page(address)
    put(page, "How tall is the tower at Skerrow Point?")
    answer = put(page, "Who designed it?")
    expect(answer.locator("p").first).to_contain_text("Searched for: ")
    expect(answer).to_contain_text("Lorne")
    searched = answer.locator('a[href="#ask"]')
    searched.click()
    box = page.locator("#ask textarea")
    expect(box).to_have_value(searched.inner_text())
    expect(box).to_be_focused()


def test_a_conflict_is_shown_with_both_values(open_page, scripted_address) -> None:
    page = open_page(scripted_address)
    answer = put(page, "Do they disagree?")
    expect(answer.locator("h4")).to_have_text("Your sources disagree")
    expect(answer.locator("h4 + ul li")).to_have_text(
        [re.compile("1874.*1"), re.compile("1878.*2")]
    )


def test_no_question_and_a_question_too_long_do_no_harm(open_page, address) -> None:
    page = open_page(address)
    box = page.get_by_role("textbox", name="Question")
    for nothing in ("", "   "):
        box.fill(nothing)
        box.press("Enter")
    page.wait_for_timeout(300)
    expect(page.locator("#chat .message-row")).to_have_count(0)
    expect(page.locator("#note")).to_contain_text("Type a question first")
    box.fill("why " * 600)
    box.press("Enter")
    expect(page.locator("#note")).to_contain_text("shorten it to 2,000")
    assert box.input_value() == "why " * 600
    put(page, QUESTION)
    expect(page.locator("#note")).to_have_text("")


def test_the_keyboard_reaches_everything(open_page, address) -> None:
    page = open_page(address)
    box = page.get_by_role("textbox", name="Question")
    box.blur()
    page.keyboard.press("/")
    expect(box).to_be_focused()
    expect(box).to_have_value("")
    box.type("one/")
    box.press("Shift+Enter")
    expect(box).to_have_value("one/\n")
    put(page, QUESTION)
    chip = page.locator(CHIPS).first
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel .fn-body")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    expect(chip).to_be_focused()


def test_copied_answers_carry_their_numbers(open_page, address) -> None:
    page = open_page(address)
    answer = put(page, QUESTION)
    answer.get_by_role("button", name="Copy message").click()
    expect(answer.locator("button[data-done]")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("94 metres\n\n")
    assert " [1]" in copied
    assert "#src-" not in copied
    assert "\\" not in copied


def test_an_answer_can_be_stopped_and_a_conversation_begun_anew(
    open_page, scripted_address
) -> None:
    page = open_page(scripted_address)
    box = page.get_by_role("textbox", name="Question")
    box.fill("An endless question")
    box.press("Enter")
    expect(page.locator("#chat .bot-row")).to_contain_text("One says this.")
    box.fill("typed meanwhile")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#ask .submit-button")).to_be_visible()
    expect(page.locator("#chat .bot-row")).to_contain_text("One says this.")
    expect(box).to_have_value("typed meanwhile")
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator("#chat .message-row")).to_have_count(0)
    expect(page.locator("#chat .placeholder")).to_be_visible()
    expect(page.locator("#panel")).to_be_hidden()


def test_a_hostile_article_stays_text(open_page, tmp_path, models) -> None:
    from index.build import build

    articles, folder = tmp_path / "articles", tmp_path / ".rag"
    articles.mkdir()
    (articles / BAD_NAME.replace("/", "_")).write_text(BAD_ARTICLE, "utf-8")
    shutil.copytree(models, folder / "models")
    for _ in build([articles], folder):
        pass
    server = start(Chat(folder))
    page = open_page(next(server))
    answer = put(page, "When was the Zorblatt engine built? <img src=x onerror='window.hit=1'>")
    expect(answer).to_contain_text("1931")
    expect(page.locator("#chat").get_by_text("<img src=x onerror='window.hit=1'>")).to_be_visible()
    chip = answer.locator('a[href^="#src-"]').first
    assert re.match(r"#src-[0-9a-f]{16}-\d+-\d+-", chip.get_attribute("href"))
    chip.click()
    expect(page.locator("#panel mark").first).to_be_visible()
    expect(page.locator("#panel .fn-body")).to_contain_text("onerror")
    shown = page.locator("#chat .message-wrap, #panel")
    expect(
        shown.locator(
            "img, script, form, svg[onload], a:not([href^='#src-']):not([href^='#answer-'])"
        )
    ).to_have_count(0)
    hrefs = page.locator("#chat a").evaluate_all("links => links.map(a => a.getAttribute('href'))")
    assert not any("0000000000000000" in href for href in hrefs)
    page.locator("#open-conversations").click()
    expect(page.locator(".fn-entry .fn-open")).to_contain_text("engine built? <img src=x")
    page.keyboard.press("Escape")
    page.locator("#only .fn-chosen").click()
    page.locator(".fn-choices input").check()
    expect(page.locator(".fn-choices label")).to_contain_text("Zorblatt")
    page.keyboard.press("Escape")
    expect(page.locator("#only")).to_contain_text("<img src=x onerror=hit()>")
    put(page, "When was the Zorblatt engine built?")
    page.locator("#open-library").click()
    expect(page.locator(".fn-table tbody")).to_contain_text("<script>window.hit = 1</script>")
    page.get_by_role("tab", name="Map").click()
    expect(page.locator(".fn-legend")).to_contain_text("Zorblatt")
    page.locator(".fn-map canvas").hover()
    page.wait_for_timeout(300)
    everywhere = page.locator("#app")
    expect(everywhere.locator("img, script, svg[onload], form:not(.fn-row)")).to_have_count(0)
    assert page.evaluate("window.hit") is None
    page.context.close()
    server.close()


def test_a_hostile_language_model_stays_text(sample_index: Path, open_page) -> None:
    with serving() as script:
        for address in start(Chat(sample_index, llm=load_llm(MODEL, script.url))):
            script.say(
                "The Orrin Bridge spans 94 metres [1]. <img src=x onerror=window.hit=1> "
                "[click](javascript:hit()) ![](http://evil.example/t.png) "
                "[1](#src-0000000000000000-0-9-00000000) "
                "<script>window.hit=1</script> ${window.hit=1} {{7*7}}."
            )
            page = open_page(address)
            answer = put(page, QUESTION)
            expect(answer).to_contain_text("94 metres")
            shown = page.locator("#chat .message-wrap")
            expect(shown.locator("img, script, a[href^='javascript']")).to_have_count(0)
            links = "links => links.map(a => a.getAttribute('href'))"
            assert not any(
                "0000000000000000" in href for href in page.locator("#chat a").evaluate_all(links)
            )
            assert page.evaluate("window.hit") is None


def test_pages_come_with_their_guards(address) -> None:
    with urllib.request.urlopen(address) as response:
        assert "default-src 'self'" in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
    elsewhere = urllib.request.Request(address, headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(elsewhere)


def test_the_public_endpoints_answer_as_the_command_line_does(address) -> None:
    with urllib.request.urlopen(f"{address}/gradio_api/info") as response:
        assert list(json.load(response)["named_endpoints"]) == ["/ask", "/search"]
    request = urllib.request.Request(
        f"{address}/gradio_api/call/ask",
        json.dumps({"data": [QUESTION]}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{address}/gradio_api/call/ask/{event}") as response:
        lines = response.read().decode().split("\n")
    (answer,) = json.loads(next(line for line in lines if line.startswith("data: "))[6:])
    assert answer["short_answer"] == "94 metres"
    assert answer["citations"][0]["file"] == "orrin-bridge-repair.txt"


def test_an_answer_stopped_as_it_ends_is_no_error(sample_index: Path) -> None:
    """Gradio drops what it streams when it ends and when it is stopped: here at the same time."""
    from ui.web import launch

    class Ending:
        async def aclose(self) -> None:
            del running["event"]

    chat = Chat(sample_index)
    page, url = launch(chat, host="127.0.0.1", port=unused_port())
    running = page.app.iterators
    running["event"] = Ending()
    request = urllib.request.Request(
        f"{url}/gradio_api/cancel",
        json.dumps({"session_hash": "page", "fn_index": 0, "event_id": "event"}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        assert json.load(response) == {"success": True}
    assert running == {}
    page.close(verbose=False)
    chat.close()


def test_a_busy_port_is_passed_over_only_when_none_was_asked_for() -> None:
    from index.types import FootnoteError
    from ui import frame

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(FootnoteError, match="--port"):
            frame.free_port("127.0.0.1", port)
    assert frame.free_port("127.0.0.1", None) >= frame.DEFAULT_PORT


def test_questions_are_answered_side_by_side(sample_index: Path) -> None:
    chat = Chat(sample_index)
    chat.answer(QUESTION)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(chat.answer(QUESTION)["short_answer"]))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["94 metres"] * 6


def test_a_written_answer_marks_what_no_passage_says(sample_index: Path, open_page) -> None:
    with serving() as script:
        llm = load_llm(MODEL, script.url)
        for address in start(Chat(sample_index, llm=llm)):
            for scheme in ("light", "dark"):
                script.say("The Orrin Bridge spans 94 metres [1]. It was built by Ada Lovelace.")
                page = open_page(address, color_scheme=scheme)
                put(page, QUESTION)
                doubted = page.locator('#chat a[href="#unsupported"]')
                expect(doubted).to_have_text("It was built by Ada Lovelace.")
                expect(page.locator("#chat .bot-row")).to_contain_text("no passage says this")
                expect(doubted).to_have_css("text-decoration-style", "dotted")
                expect(page.locator("#chat")).to_contain_text(f"Written by {MODEL}")
                own = page.locator("#panel summary", has_text="own words")
                own.click()
                expect(page.locator("#panel details[open]")).to_contain_text("span of 94 metres")
                doubted.click()
                assert urlsplit(page.url).fragment == ""
                page.locator(CHIPS).first.click()
                expect(page.locator("#panel mark").first).to_be_in_viewport()
                assert "94 metres" in lit(page)


def test_stop_hangs_up_on_the_model(sample_index: Path, open_page) -> None:
    with serving() as script:
        script.fault = "drone"
        for address in start(Chat(sample_index, llm=load_llm(MODEL, script.url))):
            page = open_page(address)
            page.get_by_role("textbox", name="Question").fill(QUESTION)
            page.get_by_role("textbox", name="Question").press("Enter")
            expect(page.locator("#chat")).to_contain_text(f"{MODEL} is writing")
            assert not script.broken.is_set()
            page.locator("#ask .stop-button").click()
            assert script.broken.wait(5)
