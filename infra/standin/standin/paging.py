"""Pages of the EC2 describe calls: small ones, cut by position in a stable order."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from moto.ec2.exceptions import EC2ClientError, InvalidNextToken

from .description import Pages

T = TypeVar("T")
_MOST = 1000
_pages = itertools.count(1)
_tokens = itertools.count(1)


def cut(
    pages: Pages, parameters: dict[str, Any], ids_given: bool, items: Sequence[T], key: Callable[[T], str]
) -> tuple[list[T], str | None]:
    """One page of `items` in the order of their `key`, and the token of the next.

    The token holds the last key that was shown, so that what comes and goes between two pages neither
    repeats nor hides another. Asking by ids gives them all: such a call cannot be paged.
    """
    limit, token = parameters.get("MaxResults"), parameters.get("NextToken")
    if ids_given and (limit or token):
        raise EC2ClientError(
            "InvalidParameterCombination", "The parameter for ids cannot be used with the parameter maxResults"
        )
    _check_limit(limit)
    ordered = sorted(items, key=key)
    if ids_given:
        return ordered, None
    start = _last_shown(token, parameters) if token else ""
    rest = [item for item in ordered if key(item) > start]
    if _is_empty(pages) and rest:
        return [], _token(start, parameters)
    shown = rest[: min(int(limit or _MOST), max(1, pages.size))]
    more = len(rest) > len(shown)
    return shown, _token(key(shown[-1]), parameters) if more else None


def _check_limit(limit: Any) -> None:
    if limit is None:
        return
    problem = "greater than 5" if int(limit) < 5 else f"less than {_MOST}" if int(limit) > _MOST else ""
    if problem:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Value ( {limit} ) for parameter maxResults is invalid. Expecting a value {problem}.",
        )


def _is_empty(pages: Pages) -> bool:
    return pages.empty_every > 0 and next(_pages) % pages.empty_every == 0


def _token(last: str, parameters: dict[str, Any]) -> str:
    """No two are the same: after a page without entries, clients take a repeated token for a loop."""
    return base64.urlsafe_b64encode(json.dumps([_query(parameters), last, next(_tokens)]).encode()).decode()


def _last_shown(token: str, parameters: dict[str, Any]) -> str:
    """The last key of the page before; a token of another query is refused."""
    try:
        query, last, _ = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError):
        raise InvalidNextToken(token) from None
    if query != _query(parameters):
        raise InvalidNextToken(token)
    return last


def _query(parameters: dict[str, Any]) -> str:
    asked = {name: value for name, value in parameters.items() if name not in ("NextToken", "MaxResults")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True, default=str).encode()).hexdigest()[:16]
