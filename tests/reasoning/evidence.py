"""Evidence made of plain texts, for tests of what is chosen from it."""

from agent.types import Evidence, Passage, Source


def evidence(*texts, titles=()):
    """One source for each text, numbered from 1."""
    found = []
    for number, text in enumerate(texts, start=1):
        title = titles[number - 1] if titles else ""
        source = Source(number, f"d{number}", "s", f"https://{number}.example/", title, "x", "2026-01-01")
        found.append(Evidence(source, (Passage(f"p{number}", source.document_id, 0, len(text), text),), 0.9))
    return found
