"""The report as text: everything is there, nothing foreign is markup, nothing is fetched."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from clipper.errors import InputError
from clipper.values import (
    AudienceLog,
    Card,
    Comment,
    Evidence,
    Findings,
    Mention,
    Order,
    Product,
    Sentence,
    Span,
    Track,
    Transcript,
    Word,
)
from pipelines.review.notes import note_text
from pipelines.review.pictures import relative_url, thumbnail, url_of
from pipelines.review.report import ReportMedia, ReportOptions, embed, lay_out, report
from pipelines.review.wording import words

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "\"'><svg onload=alert(1)>",
    "a\u2028b\u2029c",
    "{{ 7*7 }}{% raw %}",
    "]]><!-- <script>",
    "javascript:alert(1)",
    "//evil.example/x",
    "http://evil.example/x",
)


class Page(HTMLParser):
    """The elements and the visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style":
            self.words.append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.elements if name == tag and all(attrs.get(k.rstrip("_")) == v for k, v in wanted.items())]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def said(start: float, end: float, text: str) -> Sentence:
    step = (end - start) / len(text)
    return Sentence(tuple(Word(start + n * step, start + (n + 1) * step, letter) for n, letter in enumerate(text)))


def make_manifest(title: str = "炒锅怎么选", language: str = "zh") -> dict[str, Any]:
    clip = {
        "captions": "clips/1.srt",
        "cover": "clips/1.jpg",
        "plan": "plans/1.json",
        "width": 1080,
        "height": 1920,
        "loudness_lufs": -14.0,
    }
    claim = {"kind": "price", "text": f"价 {title}", "value": 99, "catalogue": 129, "perishable": True}
    return {
        "schema": "livecut.manifest",
        "version": 1,
        "recording": {"path": "/videos/show.mp4", "duration_s": 60.0, "width": 720, "height": 1280, "fps": "25/1", "language": language},
        "inputs": {"catalog": "/in/catalog.csv", "events": ["/in/show.jsonl"], "chat": [], "missing": ["viewers"]},
        "segments": [
            {
                "id": "s1",
                "sku": "A",
                "start_s": 5.0,
                "end_s": 25.0,
                "confidence": 0.93,
                "reasons": [f"card {title}"],
                "interruptions": [{"start_s": 15.0, "end_s": 18.0}],
            }
        ],
        "hot_items": [
            {
                "id": "h1",
                "sku": "A",
                "start_s": 12.0,
                "end_s": 24.0,
                "peak_s": 18.0,
                "uplift": 7.9,
                "confidence": 0.9,
                "reasons": ["countdown"],
                "uplift_low": 5.1,
                "uplift_high": 11.0,
                "basis": "orders",
                "sold": 3.0,
            }
        ],
        "clips": [
            {
                **clip,
                "id": "c1",
                "type": "explanation",
                "sku": "A",
                "sources": [{"start_s": 5.0, "end_s": 15.0}, {"start_s": 18.0, "end_s": 25.0}],
                "file": "clips/001-explanation-A.mp4",
                "title": title,
                "duration_s": 17.0,
                "score": 0.9,
                "reasons": ["whole"],
                "claims": [claim],
                "valid_until": "2024-06-01",
                "chapters": [{"start_s": 7.0, "end_s": 12.0, "title": f"平底 {title}"}],
                "notes": [f"short {title}"],
                "edited": True,
            },
            {
                **clip,
                "id": "c2",
                "type": "teaser",
                "sku": None,
                "sources": [{"start_s": 40.0, "end_s": 52.0}],
                "file": "clips/002 引流#1?.mp4",
                "title": "来",
            },
        ],
        "products": [{"sku": "A", "clips": ["c1"], "why_none": None}, {"sku": "B", "clips": [], "why_none": f"never named {title}"}],
        "coverage": {"transcribed_s": 58.0, "damaged_s": 2.0, "warnings": [f"late by 2 s {title}"]},
    }


def make_parts(text: str = "这口炒锅平底") -> tuple[Transcript, Evidence, Findings]:
    sentences = (said(5.0, 9.0, text), said(30.0, 33.0, "下一个"))
    log = AudienceLog(
        comments=(Comment(3.0, "u1", text),),
        orders=(Order(17.0, "A", 2.0), Order(18.0, "A", 1.0)),
        cards=(Card(6.0, "A"), Card(30.0, "B"), Card(45.0, "B", "hide")),
        sources=("/in/show.jsonl",),
    )
    evidence = Evidence(duration=60.0, language="zh", sentences=sentences, mentions=(Mention(6.2, 7.6, "A", 0.9, "炒锅"),), log=log)
    curves = (
        ("orders_per_viewer", Track(1.0, tuple(range(60)))),
        ("posterior A", Track(0.5, (0.0, 1.0) * 60)),
        ("loudness", Track(0.1, (-200.0, -20.0) * 300)),
    )
    transcript = Transcript(
        language="zh", sentences=sentences, heard=(Span(0.0, 60.0),), duration=60.0, engine="e", model="m", warnings=("a loop",)
    )
    return transcript, evidence, Findings(segments=(), hot_items=(), teasers=(), curves=curves)


def products(title: str = "厨见 炒锅 32cm") -> tuple[Product, ...]:
    return (Product(sku="A", title=title, aliases=("炒锅",), price=129.0, list_price=299.0), Product(sku="B", title="垃圾袋", price=19.9))


def payload_of(page: Page) -> dict[str, Any]:
    return dict(json.loads(page.scripts[0]))


def test_every_segment_hot_item_clip_and_product_is_on_the_page() -> None:
    page = Page(lay_out(make_manifest(), *make_parts(), products=products()))
    blocks = {attrs["data-id"] for attrs in page.all("button", class_="block")}
    assert blocks == {"s1", "h1", "c1", "c2"}
    assert len([b for b in page.all("button", class_="block") if b["data-id"] == "c1"]) == 2, "one block for every source"
    assert [attrs["data-id"] for attrs in page.all("article", class_="clip panel")] == ["c1", "c2"]
    assert [attrs["data-sku"] for attrs in page.all("tr") if "data-sku" in attrs] == ["A", "B"]
    assert {attrs["id"] for attrs in page.all("template")} == {"d-s1", "d-h1", "d-c1", "d-c2"}


def test_reasons_confidence_claims_coverage_and_why_none_are_told() -> None:
    text = Page(lay_out(make_manifest(), *make_parts(), products=products())).text
    for part in ("card 炒锅怎么选", "countdown", "93", "7.9× (5.1–11)", "3 件", "会过期", "商品表 129", "有效至 2024-06-01"):
        assert part in text
    for part in (
        "never named",
        "0:07 平底",
        "short 炒锅",
        "方案改过",
        "late by 2 s",
        "a loop",
        "0:58 / 1:00",
        "在线人数",
        "0:15 – 0:18",
        "¥129",
        "¥299",
        "catalog.csv、show.jsonl",
    ):
        assert part in text


def test_the_page_speaks_the_recordings_language_unless_told_otherwise() -> None:
    chinese, english = lay_out(make_manifest(), None, None, None), lay_out(make_manifest(language="en"), None, None, None)
    assert '<html lang="zh-CN">' in chinese and "剪辑报告" in chinese
    assert '<html lang="en">' in english and "Clip report" in english and "剪辑报告" not in english
    assert "Clip report" in lay_out(make_manifest(), None, None, None, ReportOptions(language="en"))


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_stays_text(text: str) -> None:
    manifest = make_manifest(text)
    manifest["recording"]["path"] = text
    manifest["segments"][0] |= {"sku": text, "id": text, "name": text}
    manifest["clips"][0] |= {"id": text, "type": text, "file": text, "captions": text, "valid_until": text, "synthetic_elements": [text]}
    harmless = Page(lay_out(make_manifest("x"), *make_parts("x"), products=products("x")))
    hostile = Page(lay_out(manifest, *make_parts(text), products=products(text)))
    assert len(hostile.all("script")) == 2 and len(hostile.scripts) == 2
    assert hostile.scripts[1] == harmless.scripts[1]
    assert not [attrs for tag, attrs in hostile.elements if tag == "img" or any(name.startswith("on") for name in attrs)]
    assert " ".join(text.split()) in hostile.text


@pytest.mark.parametrize("text", HOSTILE)
def test_every_address_leads_beside_the_page(text: str) -> None:
    manifest = make_manifest(text)
    manifest["clips"][0] |= {"file": text, "captions": text, "plan": "/etc/passwd", "cover": "../x"}
    page = Page(lay_out(manifest, *make_parts(text), products=products(text), media=ReportMedia(recording=url_of("../录 像.mp4"))))
    addresses = [
        attrs[name] for _, attrs in page.elements for name in ("src", "href", "poster", "action", "data", "xlink:href") if name in attrs
    ]
    data = payload_of(page)
    addresses += [data["recording"], *(clip["src"] for clip in data["clips"])]
    assert len(addresses) > 10
    for address in addresses:
        assert re.match(r"(\./|#|data:(image/|,))", address), address


def test_nothing_of_ours_names_a_host() -> None:
    page = lay_out(make_manifest(), *make_parts(), products=products())
    assert "http:" not in page and "https:" not in page
    assert "@import" not in page and "url(" not in page


def test_the_policy_allows_our_script_by_its_hash_and_nothing_else() -> None:
    page = Page(lay_out(make_manifest(), *make_parts()))
    policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
    digest = base64.b64encode(hashlib.sha256(page.scripts[1].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; script-src 'sha256-{digest}';")
    assert "connect-src" not in policy and "unsafe-eval" not in policy


@pytest.mark.parametrize(
    "manifest", [{}, {"recording": {"path": "a.mp4"}}, {**make_manifest(), "segments": [], "hot_items": [], "clips": [], "products": []}]
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_run_without_anything_still_has_a_page(manifest: dict[str, Any], language: str) -> None:
    text = Page(lay_out(manifest, None, None, None, ReportOptions(language=language))).text
    assert ("没有剪出" if language == "zh" else "No clip was cut") in text
    assert ("没有文稿" if language == "zh" else "No transcript") in text


def test_a_stream_without_a_log_shows_no_lane_for_it() -> None:
    transcript, evidence, findings = make_parts()
    bare = Evidence(duration=60.0, language="zh", sentences=evidence.sentences, mentions=(), log=AudienceLog())
    page = Page(lay_out(make_manifest(), transcript, bare, Findings(segments=(), hot_items=(), teasers=()), products=products()))
    assert not page.all("div", class_="lane orders") and not page.all("div", class_="lane cards")
    full = Page(lay_out(make_manifest(), transcript, evidence, findings, products=products()))
    assert full.all("div", class_="lane orders") and full.all("div", class_="lane cards")


def test_transcript_lines_seek_and_name_the_products() -> None:
    page = Page(lay_out(make_manifest(), *make_parts(), products=products()))
    assert [attrs["data-seek"] for attrs in page.all("button", class_="line")] == ["5.000", "30.000"]
    assert [attrs["title"] for attrs in page.all("mark")] == ["厨见 炒锅 32cm"]
    assert payload_of(page)["lines"] == [[5.0, 9.0], [30.0, 33.0]]


def test_a_product_has_one_colour_on_all_lanes() -> None:
    page = Page(lay_out(make_manifest(), *make_parts(), products=products()))
    of_a = {re.search(r"--h: (\d+)", attrs["style"]).group(1) for attrs in page.all("button", class_="block") if attrs["data-id"] != "c2"}  # type: ignore[union-attr]
    row = next(attrs for attrs in page.all("tr") if attrs.get("data-sku") == "A")
    assert of_a == {re.search(r"--h: (\d+)", row["style"]).group(1)}  # type: ignore[union-attr]


def test_players_wait_when_there_are_many_clips() -> None:
    manifest = make_manifest()
    few = Page(lay_out(manifest, None, None, None, ReportOptions(eager_clips=2)))
    many = Page(lay_out(manifest, None, None, None, ReportOptions(eager_clips=1)))
    assert [v["preload"] for v in few.all("video") if "data-clip" in v] == ["metadata"] * 2
    assert [v["preload"] for v in many.all("video") if "data-clip" in v] == ["none"] * 2


def test_embedded_json_cannot_leave_its_element() -> None:
    text = embed({"a": "".join(HOSTILE), "b": [1.5, None]})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"a": "".join(HOSTILE), "b": [1.5, None]}


@pytest.mark.parametrize("bad", [{"language": "fr"}, {"curve_points": 5}, {"cover_bytes": 10}, {"picture_bytes": 0}, {"eager_clips": -1}])
def test_options_out_of_range_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=rf"report\.{next(iter(bad))}"):
        ReportOptions(**bad)


def test_covers_and_the_recording_are_found_from_the_run_folder(tmp_path: Path) -> None:
    run = tmp_path / "out 目录" / "show"
    (run / "clips").mkdir(parents=True)
    recording = tmp_path / "录像 #1 100%.mp4"
    recording.write_bytes(b"x")
    Image.effect_noise((1080, 1920), 90).convert("RGB").save(run / "clips" / "1.jpg", quality=95)
    manifest = make_manifest()
    manifest["recording"]["path"] = str(recording)
    page = report(manifest, *make_parts(), run)
    parsed = Page(page)
    posters = [attrs["poster"] for attrs in parsed.all("video") if "poster" in attrs]
    assert len(posters) == 2 and all(p.startswith("data:image/jpeg;base64,") and len(p) <= 15_360 for p in posters)
    assert payload_of(parsed)["recording"] == "./../../%E5%BD%95%E5%83%8F%20%231%20100%25.mp4"
    assert str(tmp_path) not in page, "a page that travels must not tell where it was made"


def test_a_recording_that_browsers_cannot_play_is_watched_through_its_clips(tmp_path: Path) -> None:
    (tmp_path / "show.flv").write_bytes(b"x")
    manifest = make_manifest()
    manifest["recording"]["path"] = str(tmp_path / "show.flv")
    assert payload_of(Page(report(manifest, None, None, None, tmp_path)))["recording"] is None
    manifest["recording"]["path"] = str(tmp_path / "gone.mp4")
    assert payload_of(Page(report(manifest, None, None, None, tmp_path)))["recording"] is None


def test_pictures_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff not a picture")
    assert thumbnail(broken, (90, 160), 15_000) is None
    assert thumbnail(tmp_path / "missing.jpg", (90, 160), 15_000) is None
    noise = tmp_path / "noise.png"
    Image.effect_noise((400, 400), 90).save(noise)
    assert thumbnail(noise, (400, 400), 1_000) is None, "none that is small enough"


def test_a_transparent_picture_is_laid_on_white(tmp_path: Path) -> None:
    path = tmp_path / "clear.png"
    Image.new("RGBA", (40, 40), (0, 0, 0, 0)).save(path)
    uri = thumbnail(path, (40, 40), 4_096)
    assert uri is not None
    (tmp_path / "back.jpg").write_bytes(base64.b64decode(uri.partition(",")[2]))
    with Image.open(tmp_path / "back.jpg") as picture:
        assert picture.getpixel((20, 20)) == (255, 255, 255)


def test_links_are_relative_and_encoded(tmp_path: Path) -> None:
    (tmp_path / "a b.mp4").write_bytes(b"")
    assert relative_url(tmp_path / "a b.mp4", tmp_path / "run") == "./../a%20b.mp4"
    assert relative_url(tmp_path / "none.mp4", tmp_path) is None
    assert url_of("javascript:alert(1)") == "./javascript%3Aalert%281%29"
    assert url_of("//host/x") == "./host/x"


@pytest.mark.parametrize(
    ("note", "chinese"),
    [
        ("interruption left out: 12 s", "离题部分已剪去 12 秒"),
        ("perishable offer left out: 8 s", "有时效的优惠已剪去 8 秒"),
        ("condensed: 31 s left out", "讲解过长，已精简 31 秒"),
        ("short explanation, taken whole", "讲解较短，整段保留"),
        ("also explained at 1:02–2:10", "另有讲解：1:02–2:10"),
        ("hot by chat only: no order data", "没有订单数据，仅凭弹幕判断为热卖"),
        ("a note of another kind", "a note of another kind"),
    ],
)
def test_notes_are_told_in_the_reports_language(note: str, chinese: str) -> None:
    assert note_text(note, words("zh")) == chinese
    assert note_text(note, words("en")) == note
