"""Word documents small enough to be read in a test."""

from __future__ import annotations

import io
import zipfile

NAMESPACES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<dc:title>A Report</dc:title><dc:creator>Ada Writer</dc:creator>"
    "<dcterms:created>2025-01-20T10:00:00Z</dcterms:created><dcterms:modified>2025-02-01T10:00:00Z</dcterms:modified>"
    "</cp:coreProperties>"
)


def paragraph(text: str, style: str = "", run: str = "", more: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}{more}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t>{text}</w:t></w:r></w:p>"


def docx(*blocks: str, prolog: str = "", **parts: bytes | str) -> bytes:
    document = f"{prolog}<w:document {NAMESPACES}><w:body>{''.join(blocks)}</w:body></w:document>"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for name, part in {"word/document.xml": document, **parts}.items():
            archive.writestr(name, part)
    return packed.getvalue()
