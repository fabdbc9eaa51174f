"""A request for JSON of a caller's shape in the words of the user's message, where R1 looks for what it is to do.

For `ChatR1.with_structured_output`.  Knows messages and schemas; nothing of how the reply is read.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.utils.function_calling import convert_to_json_schema


def asked_for_json(messages: Sequence[BaseMessage], schema: dict[str, Any] | type | None) -> list[BaseMessage]:
    """The conversation with the request at the end of its last message, if that is the user's: DeepSeek's own API has
    refused two messages of one side in a row.  `schema`: None asks for any object."""
    shape = "" if schema is None else f" that fits this JSON schema:\n{_shown(schema)}\n"
    wanted = f"Reply with one JSON object{shape}{'' if shape else ' '}and nothing else after your reasoning."
    last = messages[-1] if messages else None
    if not isinstance(last, HumanMessage):
        return [*messages, HumanMessage(wanted)]
    said = last.content
    both = f"{said}\n\n{wanted}" if isinstance(said, str) else [*said, {"type": "text", "text": wanted}]
    return [*messages[:-1], last.model_copy(update={"content": both})]


def _shown(schema: dict[str, Any] | type) -> str:
    return json.dumps(convert_to_json_schema(schema), ensure_ascii=False)
