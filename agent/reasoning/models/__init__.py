"""The model layer: a chat model for R1 on any endpoint, and what its failures mean.  Knows nothing of research.

The names are loaded when they are first used: LangChain's OpenAI package takes over a second to import.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agent.reasoning.models.chat_r1 import ChatR1 as ChatR1
    from agent.reasoning.models.chat_r1 import open_chat_model as open_chat_model
    from agent.reasoning.models.model_errors import Endpoint as Endpoint
    from agent.reasoning.models.model_errors import model_error as model_error
    from agent.reasoning.models.model_profiles import ENDPOINTS as ENDPOINTS
    from agent.reasoning.models.model_profiles import R1 as R1
    from agent.reasoning.models.model_profiles import EndpointProfile as EndpointProfile
    from agent.reasoning.models.model_profiles import Price as Price
    from agent.reasoning.models.model_profiles import Profile as Profile
    from agent.reasoning.models.model_profiles import fitted as fitted
    from agent.reasoning.models.model_profiles import price_of as price_of
    from agent.reasoning.models.model_profiles import profile_for as profile_for

_HOMES = {
    "ENDPOINTS": "model_profiles",
    "R1": "model_profiles",
    "ChatR1": "chat_r1",
    "Endpoint": "model_errors",
    "EndpointProfile": "model_profiles",
    "Price": "model_profiles",
    "Profile": "model_profiles",
    "fitted": "model_profiles",
    "model_error": "model_errors",
    "open_chat_model": "chat_r1",
    "price_of": "model_profiles",
    "profile_for": "model_profiles",
}

__all__ = [
    "ENDPOINTS",
    "R1",
    "ChatR1",
    "Endpoint",
    "EndpointProfile",
    "Price",
    "Profile",
    "fitted",
    "model_error",
    "open_chat_model",
    "price_of",
    "profile_for",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
