"""Settings → the embedder, and the server that its vectors are indexed on.

Knows which ones the settings mean; does not know what they are used for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.settings import Settings

if TYPE_CHECKING:
    from agent.library.embed import Embedder
    from agent.library.server import ChromaServer


def embedder_of(settings: Settings) -> Embedder | None:
    """The endpoint's where a model is named, else the built-in one, which is None until it is set up."""
    if settings.embeddings_model is None:
        from agent.library.minilm import installed

        return installed(settings.cache_home)
    from agent.library.endpoint import OLLAMA, EmbeddingsEndpoint, EndpointEmbedder

    url = settings.embeddings_base_url or OLLAMA
    return EndpointEmbedder(EmbeddingsEndpoint(settings.embeddings_model, url, _key(settings, url)))


def _key(settings: Settings, url: str) -> str:
    """Its own; the reasoner's goes nowhere but to the reasoner's endpoint."""
    if settings.embeddings_api_key:
        return settings.embeddings_api_key.get_secret_value()
    return settings.api_key.get_secret_value() if url == settings.base_url and settings.api_key else ""


def chroma_server_of(settings: Settings) -> ChromaServer | None:
    """None: the embedded Chroma."""
    if settings.chroma_url is None:
        return None
    from agent.library.server import ChromaServer

    return ChromaServer(
        settings.chroma_url, settings.chroma_api_key.get_secret_value() if settings.chroma_api_key else ""
    )
