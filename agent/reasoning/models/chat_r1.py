"""ChatR1: a LangChain chat model for DeepSeek-R1 and its kin behind any OpenAI-compatible endpoint.

Reasoning comes as standard `reasoning` content blocks and the answer as text, on invoke, stream, ainvoke, astream and
in LangGraph's messages stream.  Usable by itself; knows nothing of research.  It overrides underscore methods of
langchain-openai's base class, as LangChain's own provider packages do: keep that dependency narrow."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, closing
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.utils.function_calling import convert_to_json_schema
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import Field, PrivateAttr, SecretStr, model_validator

from agent.errors import SettingsError
from agent.reasoning.models import response_stream
from agent.reasoning.models.model_profiles import (
    ALWAYS,
    R1,
    TOOL_TURNS,
    USUAL_LIMIT,
    Profile,
    endpoint_named,
    profile_for,
    usd_in_words,
)
from agent.reasoning.models.response_stream import (
    PROVIDER,
    REASONING,
    StreamReader,
    check_finish,
    reasoning_fields,
    whole,
)
from agent.reasoning.models.think_tags import Mode, split
from agent.text.urls import is_local_host

if TYPE_CHECKING:
    import ssl

    import httpx2


_FIELDS, _USD = "reasoning_fields", "told_usd"  # of a chunk under way inside this module
COST = "cost_usd"
_NO_KEY = "none"  # the client insists on a key; one from the environment belongs to somebody else's endpoint


class ChatR1(BaseChatOpenAI):
    """`ChatR1(model="deepseek-r1", base_url="http://localhost:8000/v1", api_key="…")`.

    How the model is driven follows from the two names; `profile=` overrules it with a `Profile` of your own or the
    name of one (`"openrouter"`, `"vllm/r1-0528"`), and an endpoint's name may stand for its address.  Sampling, token
    limit and time limits are the profile's unless they are given.

    `effort="low"`, here or for one call, is sent as the endpoint wants it and left out where it has no such thing;
    `effort="none"` turns thinking off where that can be done.  `response_format={"type": "json_object"}` is sent where
    JSON mode and thinking go together; a forced tool or a schema never to a model that thinks.  What the server says a
    call cost is in `response_metadata["cost_usd"]`.

    Without a key none is sent that means anything: `OPENAI_API_KEY` and its like are never read for another endpoint.
    Raises openai's errors, `ModelOverloaded` for a reply that broke off, `ModelRefused` for a model that is retired,
    and `SettingsError` where no address or no such profile is given.
    """

    separates_thinking: ClassVar[bool] = True
    endpoint_profile: Profile = Field(default=R1, exclude=True)
    effort: str | None = None
    _mode: Mode = PrivateAttr(default="auto")  # how this endpoint's replies are split; learned

    @model_validator(mode="before")
    @classmethod
    def _apply_profile(cls, values: dict[str, Any]) -> dict[str, Any]:
        """What the caller gives wins over the profile."""
        given = _with_profile(values)
        profile: Profile = given["endpoint_profile"]
        for name in ("temperature", "top_p", "max_tokens"):
            given.setdefault(name, getattr(profile, name))
        given.setdefault("stream_usage", True)  # the base class leaves it out for endpoints other than OpenAI's
        given.setdefault("stream_chunk_timeout", None)  # it does not see keep-alive comments; the read timeout does
        given.setdefault("use_responses_api", False)  # the base class would choose it for some names of models
        given.setdefault("openai_proxy", None)  # OPENAI_PROXY is for OpenAI, and at odds with clients of one's own
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
        messages = self._convert_input(input_).to_messages()
        payload = super()._get_request_payload(messages, stop=stop, **{"effort": self.effort, **kwargs})
        return driven(payload, self.endpoint_profile, [_thought(m) for m in messages])

    def with_structured_output(
        self,
        schema: dict[str, Any] | type | None = None,
        *,
        method: Literal["function_calling", "json_mode", "json_schema"] = "function_calling",
        include_raw: bool = False,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, Any]:
        """An object of this shape.  A model that thinks takes neither a forced tool nor a schema, whatever `method`
        says: it is asked for JSON in the user's message, and raises `OutputParserException` for a reply that is none.
        """
        if not self.endpoint_profile.reasons:
            return super().with_structured_output(schema, method=method, include_raw=include_raw, **kwargs)

        def asked(input_: LanguageModelInput) -> list[BaseMessage]:
            return asked_for_json(self._convert_input(input_).to_messages(), schema)

        read = super().with_structured_output(schema, method="json_mode", include_raw=include_raw)
        return RunnableLambda(asked) | read

    def _as_asked(self) -> httpx2.Request:
        """A request as this model's clients send it, for an error that is found in a reply."""
        import httpx2

        client = self.root_client or self.root_async_client
        return httpx2.Request("POST", self.openai_api_base or "", headers=client.auth_headers)

    def _create_chat_result(
        self,
        response: Any,
        generation_info: dict[str, Any] | None = None,
    ) -> ChatResult:
        raw = response_stream.completion(response, self._as_asked)
        result = super()._create_chat_result(response, generation_info)
        for generation, choice in zip(result.generations, raw["choices"], strict=True):
            check_finish(choice.get("finish_reason"))
            message, fields = generation.message, reasoning_fields(choice["message"])
            apart, self._mode = whole(fields, choice["message"].get("content") or "", self._mode)
            message.content = apart.text
            if apart.reasoning:
                message.additional_kwargs[REASONING] = apart.reasoning
            message.response_metadata["model_provider"] = PROVIDER
            if (usd := usd_in_words(raw.get("usage"))) is not None:
                message.response_metadata[COST] = usd
            _count_cached(message, raw.get("usage"))
        return result

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        response_stream.raise_reported_error(chunk, self._as_asked)
        if chunk.get("choices"):  # of several answers at once (`n`), a stream is the first: LangChain would mix them
            chunk = {**chunk, "choices": [choice for choice in chunk["choices"] if not choice.get("index")]}
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        choices = chunk.get("choices") or []
        if made is None:
            return None
        if choices and (fields := reasoning_fields(choices[0]["delta"])):
            made.message.additional_kwargs[_FIELDS] = fields
        if (usd := usd_in_words(chunk.get("usage"))) is not None:
            made.message.additional_kwargs[_USD] = usd
        _count_cached(made.message, chunk.get("usage"))
        return made

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reply = _Reply(self._mode)
        with closing(super()._stream(messages, stop, None, **kwargs)) as chunks:  # type: ignore[type-var]
            for raw in chunks:
                chunk = reply.read(raw)
                if run_manager:
                    run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        if rest := reply.close():
            if run_manager:
                run_manager.on_llm_new_token(rest.text, chunk=rest)
            yield rest
        self._mode = reply.learned

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        reply = _Reply(self._mode)
        async with aclosing(super()._astream(messages, stop, None, **kwargs)) as chunks:  # type: ignore[type-var]
            async for raw in chunks:
                chunk = reply.read(raw)
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
        if rest := reply.close():
            if run_manager:
                await run_manager.on_llm_new_token(rest.text, chunk=rest)
            yield rest
        self._mode = reply.learned


class _Reply:
    """One streamed reply: what it says in its places, and at its end, once, what the server says it cost."""

    def __init__(self, mode: Mode) -> None:
        self._reader = StreamReader(mode)
        self._usd: float | None = None

    @property
    def learned(self) -> Mode:
        return self._reader.learned

    def read(self, raw: ChatGenerationChunk) -> ChatGenerationChunk:
        beside = raw.message.additional_kwargs
        self._usd = beside.pop(_USD, self._usd)
        return self._reader.read(raw, beside.pop(_FIELDS, {}))

    def close(self) -> ChatGenerationChunk | None:
        rest = self._reader.close()
        if self._usd is not None:
            rest = rest or ChatGenerationChunk(message=AIMessageChunk(content=""))
            rest.message.response_metadata[COST] = self._usd
        return rest


def _with_profile(values: dict[str, Any]) -> dict[str, Any]:
    """`profile` is a word of the base class too, for a dict of what a model can do: that one is left to it."""
    given = dict(values)
    chosen = given.pop("profile") if isinstance(given.get("profile"), Profile | str) else None
    endpoint = endpoint_named(chosen.partition("/")[0]) if isinstance(chosen, str) else None
    url = given.get("base_url") or given.get("openai_api_base") or (endpoint.base_url if endpoint else "")
    if not url:
        raise SettingsError("ChatR1 has no address: give it base_url, such as http://localhost:8000/v1")
    if not given.get("openai_api_base"):
        given["base_url"] = url
    model = given.get("model") or given.get("model_name") or ""
    if isinstance(chosen, Profile):
        given["endpoint_profile"] = chosen
    elif "endpoint_profile" not in given:
        given["endpoint_profile"] = profile_for(url, model, chosen)
    return given


def _thought(message: BaseMessage) -> str:
    """The reasoning of an earlier turn, in whichever of its forms LangChain has it."""
    if not isinstance(message, AIMessage):
        return ""
    return "".join(b.get("reasoning") or "" for b in message.content_blocks if b["type"] == "reasoning")


def _count_cached(message: BaseMessage, usage: Mapping[str, Any] | None) -> None:
    """DeepSeek's own name for the prompt's cached tokens, which some servers of its API use alone."""
    cached = (usage or {}).get("prompt_cache_hit_tokens")
    counts = getattr(message, "usage_metadata", None)
    if counts and isinstance(cached, int):
        counts.setdefault("input_token_details", {}).setdefault("cache_read", cached)


def _timeout(profile: Profile) -> httpx2.Timeout:
    """The read limit is the time without one byte, so a server's keep-alive comments hold a call open."""
    import httpx2

    return httpx2.Timeout(profile.idle_seconds, connect=profile.connect_seconds)


@cache
def _trusted() -> ssl.SSLContext:
    """The certificates that are trusted, read once: 16 ms, which every client would spend anew on the event loop."""
    import httpx2

    return httpx2.create_ssl_context()


@asynccontextmanager
async def open_chat_model(
    *, model: str, base_url: str, api_key: SecretStr | None = None, profile: Profile | str | None = None
) -> AsyncIterator[ChatR1]:
    """A model with clients of its own, closed at the end: one async client serves one event loop only.

    It does not try again by itself, so that its user can count the tries of a whole run; and it follows no redirect,
    so that the key goes nowhere else.  Raises what `profile_for` raises.
    """
    import httpx2

    profile = profile if isinstance(profile, Profile) else profile_for(base_url, model, profile)
    # A proxy in the environment does not know this machine, nor its own network.
    common: Any = {"timeout": _timeout(profile), "verify": _trusted(), "trust_env": not is_local_host(base_url)}
    checks, async_checks = {"response": [response_stream.check]}, {"response": [response_stream.check_async]}
    with httpx2.Client(**common, event_hooks=checks) as sync_client:
        async with httpx2.AsyncClient(**common, event_hooks=async_checks) as client:
            yield ChatR1(
                model=model,
                base_url=base_url,
                api_key=api_key,
                endpoint_profile=profile,
                http_client=sync_client,
                http_async_client=client,
                max_retries=0,
            )


# ------------------------------------------------------------------------------------------ requests

# The request as it is sent: what a model at an endpoint must and must not be given.
#
# Works on the JSON that langchain-openai has made; knows the profile and the tags, and nothing of replies.  What
# OpenAI's client has no parameter for goes into `extra_body`, which the client puts into the request as it stands;
# `reasoning` and `response_format` go there too, for by their own names langchain-openai would choose another API for
# them.

Json = dict[str, Any]  # one JSON object of the wire format

_NEVER = ("logprobs", "top_logprobs")  # DeepSeek's reasoner answers them with an error
_OURS = ("effort", "reasoning_effort", "response_format", "extra_body", "tool_choice", USUAL_LIMIT)
_SYSTEM_ROLES = ("system", "developer")
_NO_THINKING = "none"


def driven(payload: Json, profile: Profile, thoughts: Sequence[str]) -> Json:
    """The payload as the profile wants it.  `thoughts`: the reasoning of each message, "" where it has none."""
    kept = {name: value for name, value in payload.items() if name not in (*_NEVER, *_OURS)}
    turns = [_turn(m, thought, profile) for m, thought in zip(payload["messages"], thoughts, strict=True)]
    kept["messages"] = _folded(turns) if profile.system == "fold" else turns
    if (limit := payload.get(USUAL_LIMIT)) is not None:
        kept[profile.token_limit] = limit
    return {**kept, **_tool_choice(payload, profile), **_reply_format(payload, profile), **_extra(payload, profile)}


def _tool_choice(payload: Json, profile: Profile) -> Json:
    """DeepSeek's thinking mode refuses a forced tool, and R1 has none."""
    choice = payload.get("tool_choice")
    allowed = choice in ("auto", "none") or (choice is not None and not profile.reasons)
    return {"tool_choice": choice} if allowed else {}


def _reply_format(payload: Json, profile: Profile) -> Json:
    """A schema is for models that do not think: guided decoding leaves no room for thinking, or blanks the answer."""
    wanted = payload.get("response_format")
    return {} if wanted is None or _is_json_mode(wanted) or profile.reasons else {"response_format": wanted}


def _is_json_mode(wanted: object) -> bool:
    return isinstance(wanted, Mapping) and wanted.get("type") == "json_object"


def _extra(payload: Json, profile: Profile) -> Json:
    """What the profile always sends, the effort, JSON mode, and over all of it what the caller gives."""
    extra: Mapping[str, object] = _merged(
        profile.extra, _effort(payload.get("effort") or payload.get("reasoning_effort") or "", profile)
    )
    if profile.json_mode and _is_json_mode(wanted := payload.get("response_format")):
        extra = {**extra, "response_format": wanted}
    extra = _merged(extra, payload.get("extra_body") or {})
    return {"extra_body": extra} if extra else {}


def _effort(wanted: str, profile: Profile) -> Mapping[str, object]:
    if wanted == _NO_THINKING:
        return profile.thinking_off
    if not (wanted and profile.effort):
        return {}
    *objects, name = profile.effort.split(".")
    sent: Mapping[str, object] = {name: wanted}
    for outer in reversed(objects):
        sent = {outer: sent}
    return sent


def _merged(base: Mapping[str, object], over: Mapping[str, object]) -> Mapping[str, object]:
    """Objects within objects are merged; anything else of `over` takes its place."""
    both = dict(base)
    for name, value in over.items():
        below = both.get(name)
        nested = isinstance(below, Mapping) and isinstance(value, Mapping)
        both[name] = _merged(below, value) if nested else value  # type: ignore[arg-type]  # both are, where nested
    return both


def _turn(message: Json, thought: str, profile: Profile) -> Json:
    """A past turn of the model carries its answer only, for R1's endpoints refuse its reasoning and its own chat
    template drops it; a model that wants it back gets it in a field, empty rather than missing."""
    if message["role"] != "assistant":
        return _flat(message)
    turn = dict(message)
    if turn.get("content"):
        apart = split(_as_text(turn["content"]), "auto")
        turn["content"], thought = apart.text, thought or apart.reasoning
    if profile.pass_back == ALWAYS or (profile.pass_back == TOOL_TURNS and turn.get("tool_calls")):
        turn["reasoning_content"] = thought
    return turn


def _flat(message: Json) -> Json:
    """Text in parts as one string: DeepSeek's own API and several others take nothing else.  Pictures stay parts."""
    content = message.get("content")
    if not isinstance(content, list) or any(isinstance(p, dict) and p.get("type") != "text" for p in content):
        return message
    return {**message, "content": "\n\n".join(_as_text([part]) for part in content)}


def _folded(messages: list[Json]) -> list[Json]:
    """The instructions of system messages, at the head of the first user message."""
    instructions = [_as_text(m["content"]) for m in messages if m["role"] in _SYSTEM_ROLES]
    others = [m for m in messages if m["role"] not in _SYSTEM_ROLES]
    if not instructions:
        return others
    head = "\n\n".join(instructions)
    for i, message in enumerate(others):
        if message["role"] == "user":
            return [*others[:i], {**message, "content": _prefixed(head, message["content"])}, *others[i + 1 :]]
    return [{"role": "user", "content": head}, *others]


def _prefixed(head: str, content: str | list[Json]) -> str | list[Json]:
    return f"{head}\n\n{content}" if isinstance(content, str) else [{"type": "text", "text": head}, *content]


def _as_text(content: str | list[Any] | None) -> str:
    """Message content is a string, or a list of strings and typed parts, of which the text is kept."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = [part if isinstance(part, str) else part.get("text") or "" for part in content]
    return "".join(parts)


# ------------------------------------------------------------------------------------------ structured

# A request for JSON of a caller's shape in the words of the user's message, where R1 looks for what it is to do.
#
# For `ChatR1.with_structured_output`.  Knows messages and schemas; nothing of how the reply is read.


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
