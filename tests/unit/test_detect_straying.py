"""The chat leaving the goods: bursts that ask and buy nothing speak against an explanation, and nothing else does."""

from __future__ import annotations

import numpy as np
import pytest

from clipper.detect import constants as c
from clipper.detect.logged import strayed
from clipper.detect.reading import read
from clipper.values import AudienceLog, Comment, Evidence
from tests.bench.detect.scripts import spoken

SENTENCES = spoken(["这一款的杯盖可以单手打开", "里面的内胆是三一六的", "倒过来也不会漏水", "提手是可以折叠的"] * 10)
BURST_S = SENTENCES[20].start


def against(texts: tuple[str, ...]) -> np.ndarray:
    quiet = [Comment(float(t), f"u{t}", "路过") for t in range(0, int(SENTENCES[-1].end), 5)]
    burst = [Comment(BURST_S + 4 + n / 10, f"b{n}", texts[n % len(texts)]) for n in range(80)]
    log = AudienceLog(comments=tuple(sorted(quiet + burst)))
    evidence = Evidence(
        duration=SENTENCES[-1].end + 1, language="zh", sentences=SENTENCES, mentions=(), log=log, picture=None, loudness=None
    )
    return strayed(evidence, read(evidence, ()))


def test_a_burst_about_something_else_speaks_against_what_it_answers() -> None:
    found = against(("什么情况", "吃瓜", "真的假的", "哈哈哈哈"))
    assert found[20] == pytest.approx(-c.STRAYED_MOST)
    assert not found[:15].any()
    assert not found[30:].any()


@pytest.mark.parametrize(
    "texts", [("多少钱", "还有货吗", "怎么拍"), ("拍了", "已拍"), ("扣1", "666")], ids=["asking", "buying", "prompted"]
)
def test_asking_buying_and_what_everybody_is_asked_to_type_do_not(texts: tuple[str, ...]) -> None:
    assert not against(texts).any()
