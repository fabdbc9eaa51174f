"""ChatR1: a LangChain chat model for DeepSeek-R1 and its kin behind any OpenAI-compatible endpoint.

Reasoning comes as standard `reasoning` content blocks and the answer as text, on invoke, stream, ainvoke, astream and
in LangGraph's messages stream.  Usable by itself; knows nothing of research.  It overrides underscore methods of
langchain-openai's base class, as LangChain's own provider packages do: keep that dependency narrow.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, closing
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import Field, PrivateAttr, SecretStr, model_validator

from agent.errors import ModelOverloaded
from agent.reasoning.models.failures import plain
from agent.reasoning.models.profiles import R1, Profile
from agent.reasoning.models.replies import PROVIDER, REASONING, StreamReader, check_finish, reasoning_fields, whole
from agent.reasoning.models.requests import driven
from agent.reasoning.models.think import Mode

if TYPE_CHECKING:
    import ssl

    import httpx2

_FIELDS = "reasoning_fields"  # of a chunk under way inside this module
_NO_KEY = "none"  # the client insists on a key; one from the environment belongs to somebody else's endpoint


class ChatR1(BaseChatOpenAI):
    """`ChatR1(model="deepseek-r1", base_url="http://localhost:8000/v1", api_key="…")`.

    Sampling, token limit and time limits are the profile's unless they are given.  Without a key none is sent that
    means anything: `OPENAI_API_KEY` and its like are never read for another endpoint.  Raises openai's errors, and
    `ModelOverloaded` for a reply that broke off.
    """

    separates_thinking: ClassVar[bool] = True
    endpoint_profile: Profile = Field(default=R1, exclude=True)
    _mode: Mode = PrivateAttr(default="auto")  # how this endpoint's replies are split; learned

    @model_validator(mode="before")
    @classmethod
    def _apply_profile(cls, values: dict[str, Any]) -> dict[str, Any]:
        """`profile=` takes one of ours; what the caller gives wins over it."""
        given = dict(values)
        if isinstance(given.get("profile"), Profile):
            given["endpoint_profile"] = given.pop("profile")
        profile: Profile = given.get("endpoint_profile", R1)
        for name in ("temperature", "top_p", "max_tokens"):
            given.setdefault(name, getattr(profile, name))
        given.setdefault("stream_usage", True)  # the base class leaves it out for endpoints other than OpenAI's
        given.setdefault("stream_chunk_timeout", None)  # it does not see keep-alive comments; the read timeout does
        if not {"timeout", "request_timeout"} & given.keys():
            given["timeout"] = _timeout(profile)
        if not (given.get("api_key") or given.get("openai_api_key")):
            given["api_key"] = SecretStr(_NO_KEY)
        return given

    @model_validator(mode="after")
    def _keep_to_ourselves(self) -> Self:
        """OPENAI_ORG_ID and OPENAI_PROJECT_ID, which the client reads by itself, are for OpenAI only."""
        self._mode = self.endpoint_profile.tags
        for client in (self.root_client, self.root_async_client):
            if client is not None and "organization" not in self.model_fields_set:
                client.organization = None
                client.project = None
        return self

    @property
    def _llm_type(self) -> str:
        return "chat-r1"

    def _get_request_payload(
        self,
        input_: LanguageModelInput,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        return driven(super()._get_request_payload(input_, stop=stop, **kwargs), self.endpoint_profile)

    def _create_chat_result(
        self,
        response: Any,
        generation_info: dict[str, Any] | None = None,
    ) -> ChatResult:
        raw = _as_json(response)
        result = super()._create_chat_result(response, generation_info)
        for generation, choice in zip(result.generations, raw["choices"], strict=True):
            check_finish(choice.get("finish_reason"))
            message, fields = generation.message, reasoning_fields(choice["message"])
            apart, self._mode = whole(fields, choice["message"].get("content") or "", self._mode)
            message.content = apart.text
            if apart.reasoning:
                message.additional_kwargs[REASONING] = apart.reasoning
            message.response_metadata["model_provider"] = PROVIDER
        return result

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        choices = chunk.get("choices") or []
        if made is not None and choices and (fields := reasoning_fields(choices[0]["delta"])):
            made.message.additional_kwargs[_FIELDS] = fields
        return made

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reader = StreamReader(self._mode)
        with closing(super()._stream(messages, stop, None, **kwargs)) as chunks:  # type: ignore[type-var]
            for raw in chunks:
                chunk = reader.read(raw, raw.message.additional_kwargs.pop(_FIELDS, {}))
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        if rest := reader.close():
            yield rest
        self._mode = reader.learned

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        reader = StreamReader(self._mode)
        async with aclosing(super()._astream(messages, stop, None, **kwargs)) as chunks:  # type: ignore[type-var]
            async for raw in chunks:
                chunk = reader.read(raw, raw.message.additional_kwargs.pop(_FIELDS, {}))
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        if rest := reader.close():
            yield rest
        self._mode = reader.learned


def _timeout(profile: Profile) -> httpx2.Timeout:
    """The read limit is the time without one byte, so a server's keep-alive comments hold a call open."""
    import httpx2

    return httpx2.Timeout(profile.idle_seconds, connect=profile.connect_seconds)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once: 16 ms, which every client would spend anew on the event loop."""
    import httpx2

    return httpx2.create_ssl_context()


def _as_json(response: Any) -> Mapping[str, Any]:
    """Raises `ModelOverloaded` for an error that came with status 200, as from a server that had begun to wait."""
    raw = response if isinstance(response, Mapping) else response.model_dump(warnings=False)
    if error := raw.get("error"):
        told = error.get("message") if isinstance(error, Mapping) else error
        raise ModelOverloaded(f"the model's server gave up: {plain(str(told))}")
    return raw


@asynccontextmanager
async def open_chat_model(
    *, model: str, base_url: str, api_key: SecretStr | None = None, profile: Profile = R1
) -> AsyncIterator[ChatR1]:
    """A model with clients of its own, closed at the end: one async client serves one event loop only.

    It does not try again by itself, so that its user can count the tries of a whole run; and it follows no redirect,
    so that the key goes nowhere else.
    """
    import httpx2

    limits, trusted = _timeout(profile), _trusted()
    with httpx2.Client(timeout=limits, verify=trusted) as sync_client:
        async with httpx2.AsyncClient(timeout=limits, verify=trusted) as client:
            yield ChatR1(
                model=model,
                base_url=base_url,
                api_key=api_key,
                endpoint_profile=profile,
                http_client=sync_client,
                http_async_client=client,
                max_retries=0,
            )
