"""What families of embedding models want before a question and before a passage.

Knows their cards' words, by model name.  Does not know endpoints.  A new family is one line; a model that is not named
here gets its texts as they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Instructions:
    query: str = ""
    passage: str = ""


_SENTENCE = "Represent this sentence for searching relevant passages: "
_TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
_FAMILIES = (  # the first that fits; each as the model's card on Hugging Face has it
    ("nomic-embed", Instructions("search_query: ", "search_document: ")),  # nomic-ai/nomic-embed-text-v1.5
    ("e5.*-instruct|e5-mistral", Instructions(f"{_TASK} ")),  # intfloat/multilingual-e5-large-instruct
    (r"(^|[/\-_])e5-", Instructions("query: ", "passage: ")),  # intfloat/multilingual-e5-base
    ("qwen3-embedding", Instructions(_TASK)),  # Qwen/Qwen3-Embedding-0.6B: no space after "Query:"
    ("bge-.*-zh", Instructions("为这个句子生成表示以用于检索相关文章：")),  # BAAI/bge-base-zh-v1.5
    ("bge-.*-en", Instructions(_SENTENCE)),  # BAAI/bge-base-en-v1.5; bge-m3 wants none
    ("bge-(small|base|large)$", Instructions(_SENTENCE)),  # Ollama's names for the English ones
    ("mxbai-embed", Instructions(_SENTENCE)),  # mixedbread-ai/mxbai-embed-large-v1
    ("arctic-embed(2|-[ml]-v2)", Instructions("query: ")),  # Snowflake/snowflake-arctic-embed-l-v2.0
    ("arctic-embed", Instructions(_SENTENCE)),  # Snowflake/snowflake-arctic-embed-m
    ("embeddinggemma", Instructions("task: search result | query: ", "title: none | text: ")),  # google/…-300m
)


def instructions_for(model: str) -> Instructions:
    """`model`: as an endpoint names it, with or without an owner before it and Ollama's tag behind."""
    name = model.lower().partition(":")[0]
    return next((found for pattern, found in _FAMILIES if re.search(pattern, name)), Instructions())
