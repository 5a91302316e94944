"""What simulated shops sell and how simulated hosts talk: word stock and catalogues, written without the decoder's lexicon."""

from __future__ import annotations

import random

from clipper.values import Product

DOMAINS = {
    "farm": (
        "苹果 蜂蜜 大米 木耳 红薯 核桃 香菇 橙子 小米 粉条 腊肉 花生 莲子 玉米 土鸡蛋 辣椒酱",
        "高山 散养 现摘 冰糖心 五常 手工 农家 霜打 有机 新季",
        "产地 果肉 颗粒 香味 果园 乡下 甜度 泥土 老乡 脆口 熬粥 炖汤 皮薄 成熟 树上 灌溉",
    ),
    "jewel": (
        "手链 项链 耳钉 戒指 手镯 吊坠 胸针 发簪 珍珠串 平安扣 脚链 耳环",
        "足银 淡水 和田 古法 复古 轻奢 玫瑰金 蜜蜡 南红 小众",
        "光泽 吊牌 镶嵌 搭扣 手围 肤色 雕花 成色 首饰盒 灯光下 火彩 锁骨 圈口 匠人",
    ),
    "books": (
        "绘本 识字卡 立体书 点读笔 故事机 拼图 算术本 字帖 地图册 贴纸书 积木 画笔",
        "幼儿 双语 精装 磁力 会发声 水洗 百科 启蒙 国学 洞洞",
        "翻页 插图 认知 睡前 拼音 动手 专注 页数 护眼 大字 识图 圆角 宝贝 亲子",
    ),
    "auto": (
        "坐垫 脚垫 记录仪 充气泵 玻璃水 擦车布 手机架 遮阳帘 香薰 头枕 吸尘器 雨刮器",
        "车载 全包围 冰丝 磁吸 无线 迷你 镀晶 记忆棉 通用款 静音",
        "方向盘 后备箱 仪表 高速 续航 安装 车门 倒车 油耗 胎压 卡扣 贴合 开车 座椅",
    ),
    "pet": (
        "猫砂 狗粮 冻干 牵引绳 饮水机 猫抓板 宠物窝 梳毛器 逗猫棒 尿垫 航空箱 磨牙棒",
        "豆腐 无谷 自动 可伸缩 双层 加厚款 鸡肉 瓦楞 恒温 除臭",
        "猫咪 狗狗 掉毛 结团 铲屎 适口 挑食 肠胃 爪子 主子 粉尘 遛弯 毛发 软便",
    ),
    "home": (
        "毛巾 被子 枕头 凉席 拖鞋 晾衣架 垃圾袋 洗衣液 床单 地毯 雨伞 收纳箱 纸巾 衣柜 浴帘 台灯",
        "竹纤维 乳胶 蚕丝 折叠 免打孔 浓缩 全棉 加长 抽绳 落地",
        "阳台 床上 洗澡 晾晒 褶皱 蓬松 味道 吸水 换季 角落 出租屋 客厅 水渍 亲肤",
    ),
    "tools": (
        "电钻 扳手 卷尺 手电筒 胶水 螺丝刀 梯子 水管 锁芯 插座 钳子 喷壶",
        "锂电 多用 强光 铝合金 防锈 伸缩 快干 家装 冲击 带灯",
        "拧紧 墙面 电池 扭矩 木板 照亮 师傅 装修 手柄 螺口 挡位 瓷砖 握着 配件",
    ),
    "sport": (
        "瑜伽垫 跳绳 哑铃 护膝 泳镜 球拍 帐篷 睡袋 登山杖 水壶 速干衣 头盔 滑板 鱼竿",
        "防滑款 计数 碳纤维 防雾 双人 超轻 硅胶 加压 新手 竞速",
        "膝盖 运动 训练 弹性 户外 出汗 露营 回弹 关节 减脂 湖边 搭起来 手感 体能",
    ),
}
"""Domain: things sold; what sets two of a kind apart; words that go with them."""

_BRAND = "安博辰达恩丰歌瀚嘉凯岚美诺欧佩启瑞思泰沃希雅泽芷舟"
PEOPLE = (
    "我妈",
    "我同事",
    "邻居",
    "我弟弟",
    "家里人",
    "我闺蜜",
    "我们老板娘",
    "我表姐",
    "我室友",
    "小区里的人",
    "我婆婆",
    "好多朋友",
    "楼下大爷",
    "我侄女",
)
PLACES = ("办公室", "路上", "家里", "车上", "学校门口", "菜市场", "院子里", "健身房", "火车上", "老家", "阳台上", "公园", "仓库", "厂里")
DOES = ("用着", "看见", "提到", "问起", "带去", "摆着", "收到", "试过", "比过", "找了好久", "拿着", "挑了半天", "想起来", "念叨")
WHEN = ("昨天", "上个月", "去年冬天", "前两天", "一早", "下班以后", "周六那天", "刚才", "每次", "夏天的时候", "前年", "晚饭后")
FILL = ("其实", "反正", "说实话", "对吧", "你想", "真的", "一般来讲", "老实讲", "我觉得", "讲道理", "那", "嗯", "来", "啊")

PHRASES = {
    "hook": (
        "很多人{w}都是因为没选对东西",
        "{x}，你就知道我今天为什么要讲它了",
        "是不是每次{w}都头疼",
        "你们先别划走，{x}",
        "有没有人跟{p}一样，{x}",
    ),
    "intro": (
        "接下来{n}",
        "下一个要讲的是{n}",
        "来，看{n}",
        "我手里拿的就是{n}",
        "下面给大家上{n}",
        "这是我们家的{n}",
        "{n}来了",
        "我们讲{n}",
    ),
    "feature": (
        "它的{a}特别实在，{x}",
        "{n}用的是{a}的做法",
        "看这个{w}，{x}",
        "{w}这里他们改过三回，{x}",
        "你拿到手就会发现{w}不一样",
        "{n}跟外面的差别就在{w}",
        "{x}，所以{w}才这么好",
        "它为什么{w}好，因为{a}",
        "这款{a}的，{x}",
        "里面的{w}是加过料的",
        "{p}{m}{d}，都说{w}好",
        "这种{w}，你在外面找不到",
    ),
    "demo": (
        "大家看，我现在试一下{w}",
        "我给你们看看{w}，一点都没有",
        "镜头近一点，看{w}",
        "你听这个声音，看到没有",
        "我用力拉，居然没事",
        "哇，这个{w}，太厉害了",
        "倒过来，完全没有问题",
    ),
    "qa": ("有人问{w}行不行，行的", "评论区说{x}，我看到了", "问多大的，都有", "{p}能不能用，能的", "有朋友问{w}，我说一下"),
    "price": (
        "外面卖{L}，今天到我这里{P}",
        "平时要{L}块，今天{P}块",
        "{L}的东西，{P}给你们",
        "价格我直接报，{P}块钱",
        "今天这个价是{P}，原来{L}",
    ),
    "urgency": (
        "只有今天，数量真的不多",
        "库存就这些了，抢完就没有了",
        "手慢就没了啊",
        "三二一，上",
        "最后几十单，赶紧",
        "还剩不到一百份，没付款的抓紧付",
    ),
    "link": ("{k}号链接，去拍", "在{k}号链接", "点{k}号，自己下单", "{k}号链接已经开了", "左边{k}号链接"),
    "close": ("好，这个先这样", "{n}就讲到这里", "需要的自己去拍，我放旁边了", "没抢到的等补货", "行，这个过了"),
    "bridge": ("好", "那我们继续", "来来来", "接下来", "喝口水", "看一下后面还有什么"),
    "banter": (
        "{p}{t}在{m}{d}",
        "{f}{t}{x}",
        "欢迎刚进来的朋友",
        "今天人挺多的啊",
        "刚才{p}说{x}",
        "哈哈，你们太逗了",
        "关注点一点，灯牌亮一亮",
        "声音大不大，听得清吗",
        "我这嗓子今天有点不行",
        "{x}，聊两句",
    ),
    "giveaway": (
        "来，抽奖了，公屏扣一",
        "福袋还有两分钟",
        "中奖的朋友看后台",
        "恭喜这几位，把地址发给客服",
        "扣一的我截屏抽五个",
        "再送一波红包",
    ),
    "quarrel": (
        "你别在这里带节奏",
        "说假货的那位，有本事拿证据出来",
        "大家不用跟他吵，我把他请出去",
        "我做这行八年，没骗过人",
        "骂人的直接拉黑",
    ),
    "celebrity": ("哇，老师来我们直播间了", "大家看这是谁", "明星也来捧场，太激动了", "要不要唱一首", "合个影，合个影"),
    "forecast": ("等一下还有{n}", "{n}晚点再上，别急", "一会儿给你们讲{n}", "想要{n}的先别走"),
    "compare": ("跟刚才的{n}比，这个{w}更好", "刚刚那个{n}是另外一种", "可以和{n}放在一起用"),
    "aside": ("又有人问{n}，那我拿一下", "{n}啊，{n}在这里", "{n}的{w}我简单说两句"),
    "cohost": ("对对对", "是的是的", "有的有的", "没错", "上了上了", "好嘞"),
    "sold_out": ("{n}没了啊，拍完了", "{k}号已经抢光了"),
}
"""What a host says in each phase. n name or pronoun, a own attribute, w own word, p people, m place, d doing, t time, f filler,
x a clause of nothing in particular, P price, L list price, k link number."""

CHAT = {
    "ask": ("多少钱", "几号链接", "怎么拍", "有大号吗", "包邮吗", "还有货吗", "链接在哪", "能便宜点吗", "想要这个", "{w}怎么样"),
    "praise": ("好看", "真不错", "主播好会讲", "支持支持", "喜欢", "可以啊", "哈哈哈哈", "来了来了", "666"),
    "bought": ("已拍", "拍了两份", "买了", "抢到了", "下单了", "付了"),
    "off": ("晚上好", "今天下雨了", "主播吃了吗", "第一次来", "{p}也在看", "这灯好亮", "{m}有人吗", "声音小", "卡了", "哪里人啊"),
    "name": ("{n}", "{n}什么时候讲", "想看{n}", "{n}多少钱"),
}


def catalogue(rng: random.Random, shown: int, distractors: int) -> tuple[Product, ...]:
    """Make a shop: products to be shown first, then those that never are; many of a kind, told apart by one word."""
    names = [f"{kind}{head}" for heads, kinds, _ in DOMAINS.values() for kind in kinds.split() for head in heads.split()]
    domain_of = {f"{k}{h}": (d, k, h) for d, (heads, kinds, _) in DOMAINS.items() for k in kinds.split() for h in heads.split()}
    domains = rng.sample(sorted(DOMAINS), 4)
    own = [name for name in names if domain_of[name][0] in domains]
    rng.shuffle(own)
    other = [name for name in names if domain_of[name][0] not in domains]
    rng.shuffle(other)
    chosen = (own + other)[: shown + distractors]
    rng.shuffle(chosen)
    return tuple(_product(rng, number, name, *domain_of[name]) for number, name in enumerate(chosen))


def _product(rng: random.Random, number: int, name: str, domain: str, kind: str, head: str) -> Product:
    words = DOMAINS[domain][2].split()
    brand = "".join(rng.sample(_BRAND, 2))
    other = rng.choice([k for k in DOMAINS[domain][1].split() if k != kind])
    title = f"{brand} {other} {rng.choice(words)} {name} {rng.choice(('300g', '2只装', '500ml', '1.5米', '大号', '5件'))}"
    price = float(rng.choice((9.9, 19.9, 29, 39, 49, 59, 69, 79, 89, 99, 109, 129, 158, 168, 199, 239, 268, 299, 329, 399)))
    return Product(
        sku=f"S{number}",
        title=title,
        aliases=(name,) if rng.random() < 0.8 else (name, head),
        brand=brand,
        price=price,
        list_price=float(round(price * rng.uniform(1.3, 3.0))),
        link=number + 1,
        points=(other,),
    )


def words_of(product: Product) -> tuple[str, tuple[str, ...], str]:
    """Give what a host can say of a product: the short name, own words, an attribute."""
    name = product.aliases[0]
    domain, kind = next(
        (d, k)
        for d, (heads, kinds, _) in DOMAINS.items()
        for k in kinds.split()
        if name.startswith(k) and name.removeprefix(k) in heads.split()
    )
    return name.removeprefix(kind), tuple(DOMAINS[domain][2].split()), product.points[0] if product.points else kind


def clause(rng: random.Random) -> str:
    """Say nothing in particular."""
    return f"{rng.choice(FILL)}{rng.choice(PEOPLE)}{rng.choice(WHEN)}在{rng.choice(PLACES)}{rng.choice(DOES)}"


_DIGITS = "零一二三四五六七八九"


def spoken_number(value: float) -> str:
    """Write a price as it is said: 158 as 一百五十八, 9.9 as 九块九."""
    whole = int(value)
    tenth = round((value - whole) * 10)
    thousands, hundreds, tens, ones = whole // 1000, whole // 100 % 10, whole // 10 % 10, whole % 10
    text = f"{_DIGITS[thousands]}千" if thousands else ""
    text += f"{_DIGITS[hundreds]}百" if hundreds else "零" if thousands and (tens or ones) else ""
    if tens:
        text += f"{'' if tens == 1 and whole < 20 else _DIGITS[tens]}十"
    elif hundreds and ones:
        text += "零"
    text += _DIGITS[ones] if ones or not text else ""
    return f"{text}块{_DIGITS[tenth]}" if tenth else text
