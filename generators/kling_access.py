"""Who asks Kling, and where: keys from the environment alone, tokens signed with them, addresses that are safe.

Keys are in no message, log, file or repr.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clipper.errors import InputError, ToolError

GLOBAL = "https://api-singapore.klingai.com"
CHINA = "https://api-beijing.klingai.com"
ACCESS_KEY, SECRET_KEY, BASE_URL = "KLING_ACCESS_KEY", "KLING_SECRET_KEY", "KLING_BASE_URL"
TOKEN_S = 1800
"""The longest that the service accepts."""
REFRESH_S = 300
"""A token is replaced when less than this is left of it."""
EARLY_S = 5
"""A token is valid from this long ago, for clocks that differ a little."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Keys:
    """Access and secret key; they are never shown."""

    access: str = field(repr=False)
    secret: str = field(repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Keys:
        """Read the keys. Raises InputError naming what is missing."""
        environ = os.environ if environ is None else environ
        missing = [name for name in (ACCESS_KEY, SECRET_KEY) if not environ.get(name, "").strip()]
        if missing:
            raise InputError(
                f"could not use Kling: {' and '.join(missing)} not set in the environment; get keys in the Kling developer console"
            )
        return cls(environ[ACCESS_KEY].strip(), environ[SECRET_KEY].strip())


def sign(keys: Keys, now: float) -> str:
    """Make a token (JWT, HS256) that is valid for half an hour from now."""

    def encode(part: bytes) -> bytes:
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    header = json.dumps({"alg": "HS256", "typ": "JWT"}, separators=(",", ":")).encode()
    payload = json.dumps({"iss": keys.access, "exp": int(now) + TOKEN_S, "nbf": int(now) - EARLY_S}, separators=(",", ":")).encode()
    text = encode(header) + b"." + encode(payload)
    return (text + b"." + encode(hmac.new(keys.secret.encode(), text, hashlib.sha256).digest())).decode()


def check_base(url: str) -> str:
    """Return a base URL without its trailing slash. Raises InputError unless it is https (or http to this machine)."""
    parts = urllib.parse.urlsplit(url)
    if not is_safe(parts) or parts.query or parts.fragment or parts.username:
        raise InputError(f"could not use {url} as Kling's address: expected https://HOST, e.g. {GLOBAL} or {CHINA}")
    return url.rstrip("/")


def is_safe(parts: urllib.parse.SplitResult) -> bool:
    """Say whether something may be sent there: https, or this machine."""
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


class SameRules(urllib.request.HTTPRedirectHandler):
    """Follow redirects of films to safe addresses only, and those of the API never."""

    max_redirections = 3

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        """Follow, or raise ToolError."""
        if req.has_header("Authorization") or not is_safe(urllib.parse.urlsplit(newurl)):
            raise ToolError(f"could not follow Kling to another address ({code}): only https is followed, and only for films")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
