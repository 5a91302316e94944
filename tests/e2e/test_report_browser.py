"""The report in a real browser, opened from disk: it is quiet, its players play, and what is clicked is sought."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from clipper.values import AudienceLog, Card, Evidence, Findings, Mention, Order, Product, Segment, Sentence, Track, Transcript, Word
from pipelines.review.report import report
from tests.media import build_clock

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=360, height=740)
HOSTILE = "</script><img src=x onerror=alert(1)>\"'\u2028"
AWAY_S = 0.06
"""A paused player stands on a frame: at 25 per second up to this far from the time that was asked for."""


@dataclass
class Tab:
    """A page with everything it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def time_of(self, selector: str = "#player") -> float:
        return float(self.page.locator(selector).evaluate("video => video.currentTime"))

    def source(self) -> str:
        return str(self.page.locator("#player").evaluate("video => video.src"))

    def wait_for_time(self, seconds: float) -> None:
        stands = (
            "const v = document.querySelector('#player'); return v.readyState >= 2 && !v.seeking && Math.abs(v.currentTime - at) < away"
        )
        self.page.wait_for_function(f"([at, away]) => {{ {stands} }}", arg=[seconds, AWAY_S])


def find_browser() -> str:
    wanted = (os.environ.get("LIVECUT_CHROMIUM", ""), *BROWSERS)
    found = next((path for name in wanted if name and (path := shutil.which(name))), None)
    assert found, "no browser to look at the report with: apt-get install chromium, or name one in LIVECUT_CHROMIUM"
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of 12 s and two clips of it, in a folder whose name has to be encoded."""
    root = tmp_path_factory.mktemp("media") / "直播 录像 #1 100%"
    clips = root / "out" / "show" / "clips"
    clips.mkdir(parents=True)
    build_clock(root / "show 秀.mp4", seconds=12.0, faststart=True)
    for name in ("001-explanation-A 锅.mp4", "002-teaser.mp4"):
        build_clock(clips / name, seconds=4.0, faststart=True)
        Image.effect_noise((270, 480), 60).convert("RGB").save((clips / name).with_suffix(".jpg"))
    return root


@pytest.fixture
def run(media: Path, tmp_path: Path) -> Path:
    """A run folder of one's own beside its recording."""
    root = tmp_path / media.name
    shutil.copytree(media, root)
    return root / "out" / "show"


def write(run: Path, title: str = "炒锅怎么选") -> Path:
    """Write the report of a run in which most things were found."""
    clips = [
        {
            "id": "c1",
            "type": "explanation",
            "sku": "A",
            "sources": [{"start_s": 2.0, "end_s": 6.0}],
            "file": "clips/001-explanation-A 锅.mp4",
        },
        {
            "id": "c2",
            "type": "teaser",
            "sku": None,
            "sources": [{"start_s": 8.0, "end_s": 10.0}, {"start_s": 1.0, "end_s": 3.0}],
            "file": "clips/002-teaser.mp4",
        },
    ]
    shared: dict[str, Any] = {"title": title, "duration_s": 4.0, "width": 180, "height": 320, "score": 0.8, "reasons": [title]}
    manifest = {
        "recording": {"path": str(run.parent.parent / "show 秀.mp4"), "duration_s": 12.0, "width": 180, "height": 320, "language": "zh"},
        "inputs": {"missing": ["viewers"]},
        "segments": [{"id": "s1", "sku": "A", "start_s": 2.0, "end_s": 7.0, "confidence": 0.9, "reasons": [title, "商品卡 2.0 s"]}],
        "hot_items": [
            {"id": "h1", "sku": "A", "start_s": 3.0, "end_s": 6.0, "peak_s": 5.0, "uplift": 6.5, "confidence": 0.9, "reasons": ["倒计时"]}
        ],
        "clips": [clip | shared | {"cover": str(Path(str(clip["file"])).with_suffix(".jpg"))} for clip in clips],
        "products": [{"sku": "A", "clips": ["c1"]}, {"sku": "B", "clips": [], "why_none": title}],
        "coverage": {"transcribed_s": 12.0, "damaged_s": 0, "warnings": [title]},
    }
    sentences = tuple(Sentence((Word(t, t + 1.6, f"第{n}句{title}"),)) for n, t in enumerate((0.2, 2.0, 4.0, 8.0, 10.2)))
    log = AudienceLog(orders=(Order(4.5, "A", 2.0), Order(5.0, "A", 1.0)), cards=(Card(2.0, "A"),))
    evidence = Evidence(duration=12.0, language="zh", sentences=sentences, mentions=(Mention(2.0, 3.5, "A", 0.9, "锅"),), log=log)
    transcript = Transcript(language="zh", sentences=sentences, heard=(), duration=12.0, engine="e", model="m")
    curves = (("orders_per_viewer", Track(0.5, (0.0, 1.0) * 12)), ("posterior A", Track(0.5, (0.0,) * 4 + (1.0,) * 20)))
    findings = Findings(segments=(Segment(sku="A", start=2.0, end=7.0, confidence=0.9),), hot_items=(), teasers=(), curves=curves)
    products = (Product(sku="A", title=f"炒锅 {title}", aliases=("炒锅",)), Product(sku="B", title="垃圾袋"))
    path = run / "report.html"
    path.write_text(report(manifest, transcript, evidence, findings, run, products=products), encoding="utf-8")
    return path


@pytest.fixture
def visit(browser: Browser) -> Iterator[Any]:
    """Open pages and close them again."""
    contexts = []

    def visit(path: Path, viewport: ViewportSize = DESKTOP, touch: bool = False) -> Tab:
        context = browser.new_context(viewport=viewport, has_touch=touch, is_mobile=touch, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(8_000)
        tab = Tab(page)
        page.on("console", lambda message: tab.complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        page.on("dialog", lambda dialog: (tab.complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: tab.requests.append(request.url))
        page.on(
            "requestfailed",
            lambda request: tab.complaints.append(f"{request.url}: {request.failure}") if is_failure(request.failure) else None,
        )
        page.goto(path.as_uri())
        page.wait_for_function("() => [...document.querySelectorAll('video')].every(v => v.readyState >= 1)")
        return tab

    yield visit
    for context in contexts:
        context.close()


def is_failure(reason: str | None) -> bool:
    """A player that has read enough of a file aborts its request for the rest; that is how it streams."""
    return reason != "net::ERR_ABORTED"


def test_it_opens_quietly_and_asks_nothing_of_the_network(run: Path, visit: Any) -> None:
    tab = visit(write(run))
    assert tab.complaints == []
    assert {url.partition(":")[0] for url in tab.requests} <= {"file", "data"}
    assert tab.page.locator("video").count() == 3
    assert tab.page.locator("video").evaluate_all("videos => videos.map(v => v.error)") == [None] * 3
    assert [round(d) for d in tab.page.locator("video").evaluate_all("videos => videos.map(v => v.duration)")] == [12, 4, 4]
    assert tab.source().endswith("%231%20100%25/show%20%E7%A7%80.mp4")


def test_players_play_one_at_a_time(run: Path, visit: Any) -> None:
    tab = visit(write(run))
    for n, player in enumerate(tab.page.locator("video").all()):
        player.evaluate("async video => { video.muted = true; await video.play(); }")
        tab.page.wait_for_function("n => document.querySelectorAll('video')[n].currentTime > 0.25", arg=n)
        assert tab.page.locator("video").evaluate_all("videos => videos.map(v => !v.paused)") == [n == one for one in range(3)]
    assert tab.complaints == []


def test_a_clicked_block_is_sought_and_explained(run: Path, visit: Any) -> None:
    tab = visit(write(run))
    block = tab.page.locator(".block[data-id=h1]")
    block.hover()
    expect(tab.page.locator("#tip")).to_contain_text("倒计时")
    block.click()
    tab.wait_for_time(3.0)
    inspector = tab.page.locator("#inspector")
    for text in ("热卖时刻", "90%", "倒计时", "6.5×", "0:03 – 0:06"):
        expect(inspector).to_contain_text(text)
    expect(tab.page.locator(".block.chosen")).to_have_count(1)
    inspector.get_by_role("button", name="峰值").click()
    tab.wait_for_time(5.0)
    assert tab.complaints == []


def test_a_clicked_line_is_sought_and_lit(run: Path, visit: Any) -> None:
    tab = visit(write(run))
    tab.page.locator(".line").nth(3).click()
    tab.wait_for_time(8.0)
    expect(tab.page.locator(".line[aria-current=true]")).to_have_text("0:08第3句炒锅怎么选")
    expect(tab.page.locator("#now")).to_have_text("0:08")
    tab.page.locator("#player").evaluate("async video => { video.muted = true; video.playbackRate = 4; await video.play(); }")
    expect(tab.page.locator(".line[aria-current=true]")).to_have_text("0:10第4句炒锅怎么选")
    tab.page.locator("#find").fill("第2句")
    expect(tab.page.locator(".line:visible")).to_have_count(1)


def test_a_joint_of_a_clip_is_sought_and_the_timeline_scrubs(run: Path, visit: Any) -> None:
    tab = visit(write(run))
    tab.page.locator(".clip[data-id=c2]").get_by_role("button", name="0:01 – 0:03").click()
    tab.wait_for_time(1.0)
    box = tab.page.locator("#ruler").bounding_box()
    assert box is not None
    tab.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 8)
    tab.page.mouse.down()
    tab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 8)
    tab.page.mouse.up()
    tab.wait_for_time(6.0)
    tab.page.get_by_role("button", name="放大").click()
    assert tab.page.locator("#scroller").evaluate("box => box.scrollWidth > box.clientWidth")
    assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_keys_play_step_and_walk_through_the_clips(run: Path, visit: Any) -> None:
    tab = visit(write(run))
    tab.page.locator(".line").nth(2).click()
    tab.wait_for_time(4.0)
    for key, seconds in (
        ("ArrowRight", 5.0),
        ("ArrowLeft", 4.0),
        ("l", 9.0),
        ("J", 4.0),
        ("ArrowDown", 2.0),
        ("ArrowDown", 8.0),
        ("ArrowUp", 2.0),
    ):
        tab.page.keyboard.press(key)
        tab.wait_for_time(seconds)
    expect(tab.page.locator(".clip.chosen")).to_have_attribute("data-id", "c1")
    tab.page.locator("#player").evaluate("video => { video.muted = true; }")
    tab.page.keyboard.press("Space")
    tab.page.wait_for_function("() => !document.querySelector('#player').paused && document.querySelector('#player').currentTime > 2.2")
    tab.page.keyboard.press("k")
    tab.page.wait_for_function("() => document.querySelector('#player').paused")


def test_without_the_recording_the_clip_that_holds_the_moment_is_sought(run: Path, visit: Any) -> None:
    (run.parent.parent / "show 秀.mp4").unlink()
    tab = visit(write(run))
    tab.page.locator(".line").nth(2).click()
    tab.wait_for_time(2.0)
    assert "001-explanation" in tab.source()
    tab.page.locator(".block[data-id=c2]").nth(1).click()
    tab.wait_for_time(2.0)
    assert "002-teaser" in tab.source()
    expect(tab.page.locator("#now")).to_have_text("0:01")
    expect(tab.page.locator("#notice")).to_be_hidden()
    tab.page.locator(".line").nth(4).click()
    expect(tab.page.locator("#notice")).to_be_visible()
    expect(tab.page.locator("#now")).to_have_text("0:10")
    assert tab.complaints == []


def test_a_recording_that_was_moved_away_is_replaced_by_the_clips(run: Path, visit: Any) -> None:
    path = write(run)
    (run.parent.parent / "show 秀.mp4").unlink()
    tab = visit(path)
    tab.page.wait_for_function("() => document.querySelector('#player').src.includes('001-explanation')")
    tab.page.locator(".line").nth(2).click()
    tab.wait_for_time(2.0)


def test_a_phone_shows_one_column_with_the_player_in_view(run: Path, visit: Any) -> None:
    tab = visit(write(run, "一个很长很长没有空格的标题" * 6 + "x" * 90), PHONE, touch=True)
    assert tab.page.evaluate("[document.documentElement.scrollWidth, document.body.scrollWidth]") == [360, 360]
    tab.page.locator(".block[data-id=s1]").tap()
    tab.wait_for_time(2.0)
    tab.page.locator(".transcript").evaluate("box => scrollTo(0, box.offsetTop - 260)")
    top = tab.page.locator(".screen").evaluate("box => box.getBoundingClientRect().top")
    assert top == 0, "the player stays while the page is read"
    tab.page.locator(".line").nth(2).tap()
    tab.wait_for_time(4.0)
    assert tab.complaints == []


def test_a_hostile_title_is_only_text(run: Path, visit: Any) -> None:
    tab = visit(write(run, HOSTILE))
    for block in tab.page.locator(".block").all():
        block.click()
    expect(tab.page.locator("#inspector")).to_contain_text("</script><img src=x onerror=alert(1)>")
    assert tab.page.evaluate("document.querySelectorAll('img, script:not(#data)').length") == 1
    assert tab.complaints == []


def test_the_policy_stops_a_script_that_is_not_ours(run: Path, visit: Any) -> None:
    path = write(run)
    page = path.read_text(encoding="utf-8").replace("</main>", "<script>alert(1)</script><img src=x onerror=alert(2)></main>")
    path.write_text(page, encoding="utf-8")
    tab = visit(path)
    assert not [text for text in tab.complaints if text.startswith("dialog")]
    assert any("Content Security Policy" in text for text in tab.complaints)
