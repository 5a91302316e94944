"""Which column of an order, card, viewer or comment table means what: known names, and the user's own in a TOML file.

[orders]
time = "下单时间"
sku = "款号"
quantity = "件数"

[time]
unit = "ms"
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, cast, get_args

from clipper.catalog.columns import FIELDS
from clipper.errors import InputError
from clipper.tables import column_of, normalise_header

Kind = Literal["explanations", "cards", "comments", "viewers", "orders"]
Unit = Literal["auto", "s", "ms", "minutes", "clock", "offset"]

COLUMNS: dict[str, tuple[str, ...]] = {
    "time": (
        *(
            "t",
            "seconds",
            "offset",
            "offsets",
            "time",
            "timestamp",
            "ts",
            "datetime",
            "ordertime",
            "paidtime",
            "paidat",
            "createdat",
            "createtime",
            "minute",
            "minutes",
        ),
        *(
            "支付时间",
            "付款时间",
            "订单付款时间",
            "下单时间",
            "订单提交时间",
            "订单创建时间",
            "创建时间",
            "成交时间",
            "时间",
            "时间点",
            "时刻",
            "分钟",
            "统计时间",
        ),
        *("数据时间", "日期时间", "发送时间", "评论时间", "相对时间", "直播进度", "秒", "毫秒", "ms", "offsetms", "elapsed", "videotime"),
    ),
    "start": (
        "explainstartts",
        "start",
        "starttime",
        "begin",
        "讲解开始时间戳",
        "讲解开始时间",
        "讲解开始",
        "开始讲解时间",
        "开始时间",
        "弹卡时间",
        "上架时间",
    ),
    "end": (
        "explainendts",
        "end",
        "endtime",
        "finish",
        "讲解结束时间戳",
        "讲解结束时间",
        "讲解结束",
        "结束讲解时间",
        "结束时间",
        "下架时间",
    ),
    "sku": FIELDS["sku"],
    "quantity": (
        *("quantity", "qty", "itemssold", "units", "unitssold", "orders", "skuorders"),
        *("数量", "商品数量", "购买数量", "件数", "成交件数", "销售件数", "销量", "订单数", "成交订单数", "支付件数"),
    ),
    "amount": (
        *("amount", "total", "gmv", "directgmv", "paid", "revenue"),
        *("用户支付金额", "实付金额", "支付金额", "成交金额", "订单金额", "实付款", "应付金额", "订单应付金额", "金额", "总价"),
    ),
    "count": (
        *("viewers", "viewercount", "online", "onlineviewers", "concurrentviewers", "ccu", "count"),
        *("在线人数", "实时在线人数", "实时在线", "平均在线人数", "直播间在线人数", "同时在线人数", "人数", "观看人数"),
    ),
    "text": ("text", "comment", "message", "content", "评论", "评论内容", "弹幕", "弹幕内容", "内容", "消息"),
    "user": ("user", "userid", "username", "nickname", "name", "昵称", "用户昵称", "用户", "用户名", "用户id"),
    "action": ("action", "动作", "操作", "状态", "卡片状态", "event"),
    "status": ("status", "orderstatus", "订单状态", "售后状态", "交易状态"),
    "bucket_s": ("buckets", "bucketseconds", "桶长"),
}
"""Field → the names that columns go by (after `normalise_header`), the most telling first."""

NEEDED: dict[Kind, tuple[str, ...]] = {
    "explanations": ("start", "end", "sku"),
    "cards": ("time", "sku", "action"),
    "comments": ("time", "text"),
    "viewers": ("time", "count"),
    "orders": ("time", "sku"),
}
"""Columns without which a table is not of a kind, in the order in which kinds are tried."""

_KNOWN = frozenset(name for names in COLUMNS.values() for name in names)
_SECTIONS = (*NEEDED, "time")


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The user's own column names."""

    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Kind → field → normalised header."""
    unit: Unit = "auto"
    """What numbers and clock times in time columns mean; auto looks at name and size."""

    def is_known(self, name: str) -> bool:
        """Say whether a normalised header is a column that can be used."""
        return name in _KNOWN or any(name in fields.values() for fields in self.columns.values())


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the fields of one table stand."""

    kind: Kind
    places: Mapping[str, int]
    """Field → column."""


def layout_of(header: Sequence[str], own: ColumnMap) -> Layout | None:
    """Recognise a table by its header; None when it is of no kind that is used."""
    for kind, needed in NEEDED.items():
        places = _places(header, own.columns.get(kind, {}))
        if kind in own.columns and all(name in places for name in (*own.columns[kind], *needed)):
            return Layout(kind, places)
    for kind, needed in NEEDED.items():
        places = _places(header, {})
        if all(name in places for name in needed):
            return Layout(kind, places)
    return None


def _places(header: Sequence[str], own: Mapping[str, str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, known in COLUMNS.items():
        column = column_of(header, (own[name],) if name in own else known)
        if column is not None:
            found[name] = column
    return found


def read_column_map(path: Path) -> ColumnMap:
    """Read a mapping file. Raises InputError naming the section or key that is not known, and the nearest one."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"could not read column mapping {path}: {error}; write TOML like [orders] time = '下单时间'") from error
    columns: dict[str, dict[str, str]] = {}
    for section, keys in content.items():
        _expect(section, _SECTIONS, f"{path}: [{section}]")
        if not isinstance(keys, dict):
            raise InputError(f"{path}: {section} = {keys!r}: expected a section [{section}] of field = 'column'")
        if section != "time":
            columns[section] = {key: _column_name(path, section, key, value) for key, value in keys.items()}
    return ColumnMap(columns, _unit(path, content.get("time", {})))


def _column_name(path: Path, section: str, key: str, value: object) -> str:
    _expect(key, tuple(COLUMNS), f"{path}: {section}.{key}")
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{path}: {section}.{key} = {value!r}: expected the name of a column")
    return normalise_header(value)


def _unit(path: Path, section: Mapping[str, object]) -> Unit:
    for key in section:
        _expect(key, ("unit",), f"{path}: time.{key}")
    unit = section.get("unit", "auto")
    if unit not in get_args(Unit):
        raise InputError(f"{path}: time.unit = {unit!r}: expected one of {', '.join(get_args(Unit))}")
    return cast(Unit, unit)


def _expect(name: str, known: Sequence[str], where: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        raise InputError(f"{where} is not known; " + (f"did you mean {near[0]}?" if near else f"expected one of {', '.join(known)}"))
