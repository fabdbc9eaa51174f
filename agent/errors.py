"""Every error this package raises on purpose.  Each text names the value and the way out.

AgentError
├── UsageError                what was asked cannot be done as asked (exit status 2)
│   ├── SettingsError         a setting has a value that does not work
│   └── QuestionError         empty, too long, or not text
├── ModelError                a model endpoint did not give what was needed
│   ├── ModelRefused          wrong key, no balance, unknown model: asking again will not help
│   ├── ModelUnreachable      nothing answers at the address
│   ├── ModelOverloaded       busy, throttled, or broke off: asking again may help
│   ├── ContextExceeded       the prompt is longer than the model takes
│   ├── ReplyUnusable         blank, cut off in mid-thought, in circles, or not what was asked for
│   └── BudgetSpent           the run's limit on money is used up
├── SearchError               a search provider failed
│   ├── SearchThrottled       it refuses for now
│   └── SearchBroken          it does not answer, or not in its own form
├── PageError                 a page cannot be had; `reason` is what the reader is told
│   ├── AddressRefused        its address is not one we go to
│   ├── FetchFailed           network, status, size, time
│   └── ExtractFailed         nothing readable in it
├── WorkerError                a worker process died or ran out of time
├── LibraryError              the record on disk cannot be used
└── RunError                  a run cannot be resumed: unknown, or in use elsewhere
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of all; `str()` is one line for a person."""


class UsageError(AgentError):
    pass


class SettingsError(UsageError):
    pass


class QuestionError(UsageError):
    pass


class ModelError(AgentError):
    pass


class ModelRefused(ModelError):
    pass


class ModelUnreachable(ModelError):
    pass


class ModelOverloaded(ModelError):
    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds, where the server said so


class ContextExceeded(ModelError):
    pass


class ReplyUnusable(ModelError):
    pass


class BudgetSpent(ModelError):
    pass


class SearchError(AgentError):
    pass


class SearchThrottled(SearchError):
    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SearchBroken(SearchError):
    pass


class PageError(AgentError):
    """`reason` is short and plain: it stands in `pages[].reason`."""

    def __init__(self, reason: str, url: str = "") -> None:
        super().__init__(f"{url}: {reason}" if url else reason)
        self.reason = reason
        self.url = url


class AddressRefused(PageError):
    pass


class FetchFailed(PageError):
    pass


class ExtractFailed(PageError):
    pass


class WorkerError(AgentError):
    pass


class LibraryError(AgentError):
    pass


class RunError(AgentError):
    pass
