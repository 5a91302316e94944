"""Prices as shops write them: '¥59.9', '59.90 CNY', '1,299.00', '59,90 €', '99-129'."""

from __future__ import annotations

import math
import re
import unicodedata

MAX_PRICE = 1e9

_CURRENCIES = (
    ("HKD", ("hk$", "hkd", "港币", "港元")),
    ("TWD", ("nt$", "twd", "新台币")),
    ("SGD", ("s$", "sgd")),
    ("CAD", ("ca$", "c$", "cad")),
    ("AUD", ("au$", "a$", "aud")),
    ("USD", ("us$", "usd", "$", "美元")),
    ("EUR", ("€", "eur", "欧元")),
    ("GBP", ("£", "gbp", "英镑")),
    ("JPY", ("jp¥", "jpy", "円", "日元")),
    ("KRW", ("₩", "krw", "韩元")),
    ("THB", ("฿", "thb")),
    ("VND", ("₫", "vnd")),
    ("IDR", ("rp", "idr")),
    ("MYR", ("rm", "myr")),
    ("PHP", ("₱", "php")),
    ("INR", ("₹", "inr")),
    ("BRL", ("r$", "brl")),
    ("MXN", ("mx$", "mxn")),
    ("CNY", ("¥", "cny", "rmb", "cn¥", "元", "人民币", "块")),
)
_MARKS = sorted(((mark, code) for code, marks in _CURRENCIES for mark in marks), key=lambda pair: -len(pair[0]))
_CODES = {code for code, _ in _CURRENCIES}
_NUMBER = re.compile(r"\d[\d.,'\u00a0 ]*")
_RANGE = re.compile(r"(?<=\d)\s*(?:-|~|至|到|–|—|to)\s*(?=[^\d]?\d)")


def parse_price(text: str) -> tuple[float | None, str | None]:
    """Read an amount and its currency (ISO 4217); None for what the text does not say.

    Of a range the lower end counts. A lone comma is a decimal comma unless three digits follow it ('59,90' but '1,299').
    """
    plain = unicodedata.normalize("NFKC", text).replace("\u2212", "-").casefold().strip()
    currency = next((code for mark, code in _MARKS if mark in plain), None)
    if plain.startswith("-"):
        return None, currency
    match = _NUMBER.search(_RANGE.split(plain)[0])
    if match is None:
        return None, currency
    amount = _amount(match.group().strip(" .,'\u00a0"), is_euro=currency in {"EUR", "BRL", "IDR", "VND"})
    if amount is not None and re.match(r"\s*(万|w\b)", plain[match.end() :]):
        amount *= 10_000
    return (amount if amount is not None and 0 <= amount <= MAX_PRICE else None), currency


def parse_currency(text: str) -> str | None:
    """Read a currency cell: a code, a sign or a Chinese name."""
    plain = unicodedata.normalize("NFKC", text).casefold().strip()
    if plain.upper() in _CODES:
        return plain.upper()
    known = next((code for mark, code in _MARKS if mark == plain or (len(mark) > 1 and mark in plain)), None)
    return known or (plain.upper() if re.fullmatch(r"[a-z]{3}", plain) else None)


def _amount(digits: str, *, is_euro: bool) -> float | None:
    plain = re.sub(r"['\u00a0 ]", "", digits)
    comma, point = plain.rfind(","), plain.rfind(".")
    if comma >= 0 and point >= 0:
        thousands = "," if point > comma else "."
        plain = plain.replace(thousands, "").replace(",", ".")
    elif comma >= 0:
        plain = plain.replace(",", "") if re.fullmatch(r"\d{1,3}(,\d{3})+", plain) else plain.replace(",", ".")
    elif re.fullmatch(r"\d{1,3}(\.\d{3}){2,}", plain) or (is_euro and re.fullmatch(r"\d{1,3}\.\d{3}", plain)):
        plain = plain.replace(".", "")
    try:
        amount = float(plain)
    except ValueError:
        return None
    return amount if math.isfinite(amount) else None
