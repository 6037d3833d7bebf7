"""Token buckets that refuse calls, by account, region and action."""

from __future__ import annotations

import threading
import time
from fnmatch import fnmatchcase

from .description import Rate


class Rates:
    """The buckets of one account; each pattern has one per region, as AWS has."""

    def __init__(self, rates: dict[str, Rate]):
        self._rates = rates
        self._lock = threading.Lock()
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def allow(self, region: str, action: str) -> bool:
        """Takes a token from every bucket that the action falls in; false where one is empty."""
        patterns = [pattern for pattern in self._rates if fnmatchcase(action, pattern)]
        with self._lock:
            return all([self._take((region, pattern), self._rates[pattern]) for pattern in patterns])

    def _take(self, key: tuple[str, str], rate: Rate) -> bool:
        now = time.monotonic()
        tokens, filled = self._buckets.get(key, (rate.burst, now))
        tokens = min(rate.burst, tokens + (now - filled) * rate.per_second)
        enough = tokens >= 1
        self._buckets[key] = (tokens - enough, now)
        return enough
