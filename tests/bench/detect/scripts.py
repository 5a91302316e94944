"""Scripted streams in domains of their own, with ground truth: transcripts as a recogniser might write them.

Each line is (sku or None, is it explanation, text). They were written for the tests and say nothing that the lexicon was
written from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clipper.values import Product, Sentence, Word

RATE = {"zh": 5.2, "en": 15.0}
"""Characters per second of speech."""


@dataclass(frozen=True, slots=True)
class Script:
    """A stream as written, and as it ran."""

    name: str
    language: str
    products: tuple[Product, ...]
    lines: tuple[tuple[str | None, bool, str], ...]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """The lines as sentences, on a clock."""
        return spoken([text for _, _, text in self.lines], self.language)

    @property
    def truth(self) -> tuple[tuple[str, float, float], ...]:
        """Explanations: runs of explaining lines of one product, gaps of two other lines inside."""
        found: list[list[object]] = []
        for number, ((sku, explains, _), sentence) in enumerate(zip(self.lines, self.sentences, strict=True)):
            if not explains or sku is None:
                continue
            if found and found[-1][0] == sku and number - int(str(found[-1][3])) <= 3:
                found[-1][2:] = [sentence.end, number]
            else:
                found.append([sku, sentence.start, sentence.end, number])
        return tuple((str(sku), float(str(start)), float(str(end))) for sku, start, end, _ in found)


def spoken(texts: Sequence[str], language: str = "zh", pause: float = 0.5) -> tuple[Sentence, ...]:
    """Put texts on a clock, one sentence each; Chinese by the character, other text by the word."""
    clock, out = 1.0, []
    for text in texts:
        chinese = any("\u3400" <= c <= "\u9fff" for c in text)
        pieces = list(text) if chinese else [f" {word}" for word in text.split()]
        words = []
        for piece in pieces:
            length = max(len(piece), 1) / RATE["zh" if chinese else "en"]
            words.append(Word(clock, clock + length, piece))
            clock += length
        out.append(Sentence(tuple(words)))
        clock += pause
    return tuple(out)


def _products(rows: Sequence[tuple[str, str, str, float, float]]) -> tuple[Product, ...]:
    return tuple(
        Product(sku=sku, title=title, aliases=tuple(filter(None, aliases.split("|"))), price=price, list_price=was, link=number)
        for number, (sku, title, aliases, price, was) in enumerate(rows, 1)
    )


FARM = Script(
    "farm",
    "zh",
    _products(
        [
            ("F1", "云岭 高山红富士苹果 5斤装 脆甜多汁 当季水果", "苹果|红富士", 29.9, 49.9),
            ("F2", "坡上人家 农家土蜂蜜 500g 玻璃瓶装 结晶蜜", "蜂蜜", 68, 98),
            ("F3", "河湾 五常稻花香大米 10斤 真空装 东北新米", "大米|稻花香", 59, 79),
        ]
    ),
    (
        (None, False, "乡亲们晚上好，今天山里起雾了，信号不太好，先等等人。"),
        (None, False, "刚进来的朋友点点赞，看看今天有多少老朋友。"),
        ("F1", True, "先来看苹过，就是我身后这片树上刚摘下来的红富士。"),
        ("F1", True, "海拔高，早晚温差大，所以它特别脆，你听这一口。"),
        ("F1", True, "切开看看，这个芯里面是透明的，冰糖心，看到没有。"),
        ("F1", True, "五斤一箱，市场价四十九块九，今天二十九块九，一号链接。"),
        ("F1", True, "只剩两百箱了，赶紧下单，拍完就没有了。"),
        (None, False, "好，苹果放一边，我洗个手。"),
        ("F2", True, "接下来这个是风蜜，我家自己养的土蜂，一年只割一次。"),
        ("F2", True, "大家看这个颜色，底下这层白的是结晶，倒都倒不出来。"),
        ("F2", True, "早上起来舀一勺，温水冲开，老人孩子都能喝。"),
        ("F2", True, "五百克一瓶，平时九十八，今天六十八，二号链接自己去拍。"),
        (None, False, "来，抽个奖，公屏上扣一，抽三个人送小礼物。"),
        (None, False, "倒计时五秒，截屏了，恭喜这三位，地址发给客服。"),
        (None, False, "没中的别着急，明天晚上还有。"),
        ("F3", True, "最后一个是大米，五常的稻花乡，今年的新米。"),
        ("F3", True, "我电饭锅里煮好了，打开给你们闻，那个香味，隔壁都闻得到。"),
        ("F3", True, "粒粒分明，不用配菜都能吃两碗，熬粥上面一层米油。"),
        ("F3", True, "十斤真空装，原价七十九，今天五十九，三号链接。"),
        (None, False, "今天就到这里，感谢大家，点个关注，明天见。"),
    ),
)

JEWEL = Script(
    "jewel",
    "zh",
    _products(
        [
            ("J1", "拾光 S925银珍珠项链 淡水珍珠 锁骨链 送礼盒", "珍珠项链|项链", 168, 298),
            ("J2", "拾光 和田玉平安扣吊坠 红绳 男女款", "平安扣|吊坠", 299, 599),
            ("J3", "拾光 古法黄金转运珠手链 足金999 编绳", "转运珠|手链", 520, 699),
        ]
    ),
    (
        (None, False, "姐妹们下午好，声音听得到吗，今天的灯光有点黄。"),
        (None, False, "后面还有你们等了好久的转运珠，别着急，先看别的。"),
        ("J1", True, "第一款，珍朱项链，银是九二五的，珠子是淡水的。"),
        ("J1", True, "我戴上给你们看，正好落在锁骨这里，显脖子长。"),
        ("J1", True, "你们凑近看这个光，不是那种塑料的光，是一层一层的。"),
        ("J1", True, "专柜两百九十八，今天一百六十八，带礼盒，一号链接。"),
        (None, False, "有人问发货，明天下午就发，顺丰的。"),
        ("J2", True, "接下来这个是瓶安扣，和田玉的，我手上这块。"),
        ("J2", True, "对着灯看，里面是云絮状的，细腻，没有裂。"),
        ("J2", True, "红绳是手工编的，长度可以自己调，男生女生都能戴。"),
        ("J2", True, "原价五百九十九，今天两百九十九，二号链接，喜欢的直接拍。"),
        (None, False, "哈哈哈，这位朋友说我像他老师，别闹。"),
        (None, False, "评论区别吵，各买各的，我喝口水。"),
        (None, False, "天气热了，大家多喝水。"),
        ("J3", True, "轮到转运猪了，足金九九九，古法做的，哑光的。"),
        ("J3", True, "编绳洗澡不用摘，颗颗都有刻字，你摸上去是磨砂的。"),
        ("J3", True, "今天金价都涨了，我这个五百二十，三号链接，倒数三二一上。"),
        ("J3", True, "只有五十条，手快有，没付款的赶紧付款。"),
        (None, False, "好，我再报一遍，一号项链，二号平安扣，三号手链。"),
        (None, False, "拜拜，点个关注。"),
    ),
)

BOOKS = Script(
    "books",
    "en",
    _products(
        [
            (
                "K1",
                "Moonfern Press The Whale Who Couldn't Sleep Hardcover Picture Book, Ages 3-6",
                "whale book|The Whale Who Couldn't Sleep",
                14,
                19,
            ),
            ("K2", "Tinkerloft Pop-Up Dinosaur Encyclopedia with 40 Flaps, Ages 5-9", "dinosaur book|pop-up dinosaurs", 26, 35),
            ("K3", "Tinkerloft Learn to Draw Animals Activity Pad, 120 Pages, Spiral Bound", "drawing pad|activity pad", 9, 12),
        ]
    ),
    (
        (None, False, "Hi everyone, welcome, can you hear me all right?"),
        (None, False, "Tell me how old your little ones are while people come in."),
        ("K1", True, "Okay, first up, this is the whale book, it's a hardcover and the pages are thick."),
        ("K1", True, "A whale lies awake and every page another animal sings to him, it's so soft."),
        ("K1", True, "Look at this spread, the whole ocean glows, and kids want to touch it."),
        ("K1", True, "It's normally nineteen, tonight it's fourteen dollars, number one in the list."),
        (None, False, "Let me put that down and stretch my legs."),
        ("K2", True, "Next up, these are the pop up dinosaurs, and yes, they really stand up."),
        ("K2", True, "Watch this, I open the page and the tail comes right at you, wow."),
        ("K2", True, "There are forty flaps and after a year with my twins not one is torn."),
        ("K2", True, "Retail is thirty-five, I've got it for twenty-six dollars, number two."),
        (None, False, "Somebody asks about shipping to Ireland, yes, about ten days."),
        (None, False, "Ha, my dog just walked in, sorry, that's Biscuit, say hi."),
        (None, False, "He wants his dinner, he's always like this at six."),
        ("K3", True, "Last one, the drawing pad, a hundred and twenty pages, spiral bound."),
        ("K3", True, "Every animal starts from a circle, my son drew a fox in five minutes."),
        ("K3", True, "Nine dollars, down from twelve, number three, grab it before it's gone."),
        (None, False, "That's all for tonight, thanks for watching, goodnight everybody."),
    ),
)

PARTS = Script(
    "parts",
    "zh",
    _products(
        [
            ("P1", "路驰 车载无线吸尘器 大吸力 120W 手持 家车两用", "吸尘器", 129, 199),
            ("P2", "路驰 无骨雨刮器 通用型 静音胶条 一对装", "雨刮|雨刮器", 39, 69),
            ("P3", "路驰 汽车脚垫 全包围 TPE 防水 易清洗", "脚垫", 239, 399),
            ("P4", "路驰 车载手机支架 磁吸 出风口", "手机支架|支架", 29, 49),
        ]
    ),
    (
        (None, False, "兄弟们晚上好，欢迎来到直播间，刚下班的报个到。"),
        ("P1", True, "先看这款吸成器，巴掌大，一百二十瓦。"),
        ("P1", True, "我在座椅缝里撒了一把瓜子壳，看好了，一下就干净。"),
        ("P1", True, "滤网拆下来水一冲就行，充一次用半小时。"),
        ("P1", True, "一百二十九，吊牌价一百九十九，一号链接，要的去拍。"),
        (None, False, "行，这个先收起来。"),
        ("P2", True, "下一个，雨呱器，你们车上那个是不是刮起来嘎吱响。"),
        ("P2", True, "这个胶条是静音的，我拿喷壶喷水，刮一下，一点水痕都没有。"),
        ("P2", True, "自己就能装，按一下卡扣就行，三分钟。"),
        ("P2", True, "一对三十九，二号链接，外面装一次就要八十。"),
        ("P3", True, "接下来说脚电，全包围的，下雨天泥踩上去，拿水一冲。"),
        ("P3", True, "材质是TPE的，没有味道，夏天暴晒也不臭。"),
        ("P3", True, "按车型开模，边边角角都贴的，你看这个卡位。"),
        ("P3", True, "原价三百九十九，今天两百三十九，三号链接，备注车型。"),
        (None, False, "有人问我什么时候下播，还早呢，哈哈。"),
    ),
)

SCRIPTS = (FARM, JEWEL, BOOKS, PARTS)
