"""Which column of which shop's export means what.

Names are compared after `tables.normalise_header`: case, spaces, underscores and units in brackets do not matter. Inside a
field the first name that a file has wins, so the price a buyer really pays stands before the one printed beside it.
"""

from __future__ import annotations

FIELDS: dict[str, tuple[str, ...]] = {
    "sku": (
        *("sku", "variantsku", "id", "productid", "itemid", "kwaiitemid", "skuid", "productsku", "itemcode", "code", "offerid"),
        *(
            "商品id",
            "商品编码",
            "商品编号",
            "货号",
            "款号",
            "宝贝id",
            "sku编码",
            "sku编号",
            "商家编码",
            "产品编号",
            "产品id",
            "编码",
            "条码",
        ),
        *("relitemid", "mpn", "gtin", "gtin13", "variantbarcode", "barcode"),
    ),
    "title": (
        *("title", "name", "productname", "producttitle", "itemname", "itemtitle"),
        *("商品名称", "商品标题", "宝贝标题", "宝贝名称", "产品名称", "商品名", "产品名", "标题", "名称", "品名", "商品"),
    ),
    "aliases": (
        *("aliases", "alias", "shortname", "shorttitle", "nickname", "spokenname", "spokennames"),
        *("别名", "商品别名", "简称", "商品简称", "短标题", "短名", "俗称", "口播名", "口播名称", "昵称"),
    ),
    "brand": ("brand", "vendor", "manufacturer", "brandname", "品牌", "品牌名称", "品牌名", "商品品牌"),
    "category": (
        *("producttype", "category", "productcategory", "type", "googleproductcategory", "categoryname"),
        *("类目", "商品类目", "分类", "商品分类", "品类", "类别", "叶子类目", "末级类目", "一级类目"),
    ),
    "price": (
        *("saleprice", "liveprice", "skusaleprice", "price", "variantprice", "sellingprice", "finalprice"),
        *("到手价", "券后价", "直播价", "直播间价格", "直播间价", "直播到手价", "秒杀价", "活动价", "优惠价", "折后价"),
        *("售价", "销售价", "现价", "价格", "商品价格", "sku价格", "单价", "一口价", "销售价格"),
    ),
    "list_price": (
        *(
            "listprice",
            "compareatprice",
            "variantcompareatprice",
            "originalprice",
            "regularprice",
            "msrp",
            "rrp",
            "marketprice",
            "skumarketprice",
        ),
        *("原价", "划线价", "吊牌价", "市场价", "日常价", "专柜价", "门店价", "官方价", "建议零售价", "标价"),
    ),
    "currency": ("currency", "pricecurrency", "currencycode", "币种", "货币", "货币单位"),
    "image": (
        *("image", "images", "imagelink", "imagesrc", "productimageurl", "imageurl", "imageurls", "picture", "photo"),
        *("主图", "商品主图", "图片", "商品图片", "图片链接", "主图链接", "主图url", "图片地址", "主图地址", "白底图"),
    ),
    "more_images": (
        "additionalimagelink",
        "additionalimages",
        "variantimage",
        "variantimageurl",
        "whitebaseimageurl",
        "副图",
        "其他图片",
        "细节图",
        "轮播图",
    ),
    "link": (
        "link",
        "linknumber",
        "linkno",
        "no",
        "number",
        "position",
        "链接号",
        "链接序号",
        "链接",
        "号链接",
        "上链接序号",
        "序号",
        "排序",
        "上架顺序",
        "讲解顺序",
    ),
    "points": (
        "points",
        "sellingpoints",
        "sellingpoint",
        "features",
        "highlights",
        "producthighlight",
        "bullets",
        "卖点",
        "商品卖点",
        "产品卖点",
        "核心卖点",
        "亮点",
        "特点",
    ),
    "group": ("handle", "urlhandle", "itemgroupid", "parentsku", "spu", "spuid", "款式编码"),
}
"""Our field → the names it goes by, the most telling first."""

BEFORE_DISCOUNT = frozenset({"price", "variantprice", "售价", "销售价", "价格", "商品价格", "单价", "一口价", "销售价格"})
"""Prices that become the list price when the same row has a lower one of another name."""

_KNOWN = frozenset(name for names in FIELDS.values() for name in names)


def is_known(name: str) -> bool:
    """Say whether a normalised header cell is a catalogue column."""
    return name in _KNOWN
