"""What the model calls of one run may cost together: tries that failed, and money.

Knows numbers only.  One for a run: all its roles draw on it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from agent.errors import BudgetSpent, ModelError

RETRIES = 4  # over all calls of a run
_LONGEST_PAUSE_S = 60.0  # a server that wants a longer one is as good as gone for somebody who waits


@dataclass
class Budget:
    """`usd`: None has no limit.  `pause_s`: before the first retry; it doubles."""

    retries: int = RETRIES
    pause_s: float = 1.0
    usd: float | None = None
    spent_usd: float = 0.0

    def check(self, spent_before: float = 0.0) -> None:
        """Before each call.  `spent_before`: what the run's record says, which counts for a run that was resumed.

        Raises `BudgetSpent`.
        """
        self.spent_usd = max(self.spent_usd, spent_before)
        if self.usd is not None and self.spent_usd >= self.usd:
            raise BudgetSpent(f"the limit of {self.usd:g} US dollars is used up ({self.spent_usd:.4f} were spent)")

    def spend(self, usd: float | None) -> None:
        self.spent_usd += usd or 0.0

    def retry(self, failure: ModelError, retry_after: float | None = None) -> float:
        """Seconds to wait before another try; raises `failure` where there is to be none."""
        if self.retries < 1 or (retry_after or 0) > _LONGEST_PAUSE_S:
            raise failure
        self.retries -= 1
        backoff = self.pause_s * random.uniform(1, 1.5)  # noqa: S311 - spreads callers, guards nothing
        self.pause_s *= 2
        return max(backoff, retry_after or 0)

    def retry_at_once(self, failure: ModelError) -> None:
        """For a reply that came and was of no use: its server is well."""
        if self.retries < 1:
            raise failure
        self.retries -= 1
