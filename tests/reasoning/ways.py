"""The ways of asking a chat model, and what a reply says in LangChain's standard blocks."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import httpx2
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import add_ai_message_chunks

from agent.reasoning.models import ChatR1, Profile
from tests.model_server import ModelServer

THOUGHT = "I think 3 < 4.\n\n嗯，Really."
ANSWER = "The answer is **42**.\n\nSí, 四十二。"
WAYS = ["invoke", "stream", "ainvoke", "astream"]
STREAMS = ["stream", "astream"]


def told(message: BaseMessage) -> tuple[str, str]:
    """The reasoning and the text of a message's standard content blocks."""
    blocks = message.content_blocks
    reasoning = "".join(b["reasoning"] for b in blocks if b["type"] == "reasoning")
    return reasoning, "".join(b["text"] for b in blocks if b["type"] == "text")


async def ask(model: ChatR1, way: str, prompt: object = "Hi") -> AIMessage:
    if way == "invoke":
        return await asyncio.to_thread(model.invoke, prompt)
    if way == "ainvoke":
        return await model.ainvoke(prompt)
    first, *others = await chunks(model, way, prompt)
    return add_ai_message_chunks(first, *others)


async def chunks(model: ChatR1, way: str, prompt: object = "Hi") -> list[AIMessageChunk]:
    if way == "stream":
        return await asyncio.to_thread(lambda: list(model.stream(prompt)))
    return [chunk async for chunk in model.astream(prompt)]


def model_at(server: ModelServer, **given: Any) -> ChatR1:
    """A model that has learned nothing.  Its clients do not read the system's certificates: that takes 40 ms each."""
    none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    clients = {"http_client": httpx2.Client(verify=none), "http_async_client": httpx2.AsyncClient(verify=none)}
    return ChatR1(model="deepseek-r1", base_url=server.url, max_retries=0, **{**clients, **given})


def quick(**given: float) -> Profile:
    return Profile("quick", temperature=0.6, top_p=0.95, max_tokens=100, system="fold", **given)
