"""What is sold in the sample stream, and every word that is said.

The products, brands and prices are invented. A line belongs to the product it talks about; `explain` is false for what an editor
would not call part of the explanation. `teaser` marks the lines an editor would put into a 20-second trailer.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """One product of the catalogue."""

    sku: str
    title: str
    aliases: tuple[str, ...]
    brand: str
    category: str
    price: float
    list_price: float
    images: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One spoken line."""

    text: str
    phase: str
    sku: str | None = None
    energy: float = 0.5
    """In [0, 1]: how loud and how fast; 0.5 is calm talk, 1 a countdown."""
    pause: float = 0.35
    """Seconds of silence after the line."""
    card: bool = False
    """The product card goes up while this line is spoken."""
    teaser: bool = False

    @property
    def explain(self) -> bool:
        """Say whether the line explains its product."""
        return self.sku is not None and self.phase != "qa"


TEA, SCARF, APPLE = "L001", "L002", "L003"

GOODS = (
    Goods(
        sku=TEA,
        title="小满山房 茉莉花茶 浓香型七窨 明前绿茶坯 罐装 100g",
        aliases=("茉莉花茶", "花茶"),
        brand="小满山房",
        category="食品/茶叶",
        price=49,
        list_price=98,
        images=("images/L001-white.jpg", "images/L001-home.jpg"),
    ),
    Goods(
        sku=SCARF,
        title="北巷 羊毛围巾 女 秋冬加厚 红色格子 流苏 两米大披肩",
        aliases=("羊毛围巾", "围巾"),
        brand="北巷",
        category="服饰配件/围巾",
        price=99,
        list_price=269,
        images=("images/L002-white.jpg", "images/L002-home.jpg"),
    ),
    Goods(
        sku=APPLE,
        title="果岭人家 冰糖心苹果 树上熟 新鲜现摘 净重5斤装 约12个 坏果包赔",
        aliases=("冰糖心苹果", "苹果"),
        brand="果岭人家",
        category="生鲜/水果",
        price=29.9,
        list_price=59,
        images=("images/L003-white.jpg", "images/L003-home.jpg"),
    ),
)

LINES = (
    Line(text="晚上好，欢迎来到直播间，刚进来的朋友，先找个舒服的姿势坐好。", phase="greeting"),
    Line(text="今天不多，就三样东西，都是我自己家里天天在用的。", phase="greeting", pause=0.8),
    Line(text="第一样，茉莉花茶，你们看，盖子一打开，满屋子都是花香。", phase="intro", sku=TEA, energy=0.55, card=True),
    Line(text="一层茶叶，一层鲜花，来来回回做了七次，香味是茶叶自己吃进去的。", phase="feature", sku=TEA),
    Line(text="我现在冲一杯，水倒下去，叶子慢慢地打开，颜色很清亮。", phase="demo", sku=TEA),
    Line(text="喝一口，先是花香，后面有一点甜，完全不苦。", phase="demo", sku=TEA, energy=0.6),
    Line(text="有人问，晚上喝了睡不着怎么办，那你就下午喝，下午喝正好。", phase="qa", sku=TEA),
    Line(text="每一罐都是密封好的，放办公室，放家里，喝半年没有问题。", phase="feature", sku=TEA),
    Line(text="平时卖九十八，今天四十九，一号链接，喜欢的慢慢拍，不着急。", phase="price", sku=TEA, energy=0.65, pause=0.9),
    Line(text="好，这杯先放着，我看看谁在说冷，说冷的朋友，你来对了。", phase="transition", energy=0.45, pause=0.9),
    Line(text="来，羊毛围巾，红色的格子，配黑大衣，配白毛衣，都好看。", phase="intro", sku=SCARF, energy=0.6, card=True),
    Line(text="百分之百的羊毛，有两米长，可以绕两圈，当披肩也够大。", phase="feature", sku=SCARF),
    Line(text="别光听我说，我把它揉成一团，松手，你看，一条褶子都没有！", phase="demo", sku=SCARF, energy=0.85, teaser=True),
    Line(text="我妈上个星期拿走一条，昨天打电话来，说再要三条，她那些姐妹都想要！", phase="demo", sku=SCARF, energy=0.75, teaser=True),
    Line(text="摸上去很软，贴着皮肤一点都不扎，小朋友戴也舒服。", phase="feature", sku=SCARF),
    Line(text="商场里标价两百六十九，今天在我这里，多少钱？九十九，两位数！", phase="price", sku=SCARF, energy=0.9, teaser=True),
    Line(text="运费我出，再送一个收纳袋，七天之内，不喜欢退给我。", phase="price", sku=SCARF, energy=0.75),
    Line(text="只有五百条，二号链接，准备好了没有，三，二，一，开抢！", phase="urgency", sku=SCARF, energy=1.0, teaser=True),
    Line(text="天哪，一眨眼，两百条没有了，你们的手也太快了吧！", phase="urgency", sku=SCARF, energy=0.95, teaser=True),
    Line(text="还没有付款的，赶紧付，付了款，这条围巾才是你的。", phase="urgency", sku=SCARF, energy=0.85),
    Line(text="最后五十条，今年就这一批，卖完就下架，快！", phase="urgency", sku=SCARF, energy=0.95, pause=1.0),
    Line(text="好了好了，让客服歇一口气，我也喝口水。", phase="transition", energy=0.4, pause=0.7),
    Line(text="有朋友问从哪里发货，杭州发货，一般两天就到。", phase="banter", energy=0.45, pause=0.9),
    Line(text="最后一样，是吃的，冰糖心苹果，你看这个颜色，红得发亮。", phase="intro", sku=APPLE, energy=0.6, card=True),
    Line(text="我现场切开一个，看见没有，中间这一圈透明的，这个就是糖心。", phase="demo", sku=APPLE, energy=0.65),
    Line(text="你们听这个声音，咔嚓，哇，又脆又甜，汁水都流到手上了！", phase="demo", sku=APPLE, energy=0.85, teaser=True),
    Line(text="都是在树上熟透了才摘的，没有打蜡，洗干净，带皮就能吃。", phase="feature", sku=APPLE),
    Line(text="一箱五斤，大概十二个，老人小孩都咬得动。", phase="feature", sku=APPLE),
    Line(text="今天二十九块九，五斤包邮，三号链接，坏果包赔。", phase="price", sku=APPLE, energy=0.65, pause=0.9),
    Line(text="我再说一遍，一号花茶，二号围巾，三号苹果，别拍错了。", phase="recap", energy=0.55),
    Line(text="正在刷视频的朋友，点一下我的头像，来直播间找我，我播到晚上十一点。", phase="closing", energy=0.7),
    Line(text="喜欢我的点个关注，明天同一时间，我们接着聊，拜拜。", phase="closing", energy=0.6, pause=1.0),
)
