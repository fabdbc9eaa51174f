"""What the web may do to a reader, by name, each with what must come of it.

Data for `test_hostile.py`, which asserts verdict and bytes received of each.
"""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.web.address_guard import Address
from agent.web.http_client import Reach
from tests.web import bombs
from tests.web.pdf_file import pdf
from tests.web_server import Behaviour, Request, WebServer, drip, endless, hang, head, html, page, raw, redirect, reset

HOST = "hostile.example"
WORDS = "DeepSeek released its model on 20 January 2025 under a licence that lets anybody use it. "
HTML = html("A page", *[WORDS * 3] * 4)
PLAIN = {"Content-Type": "text/html; charset=utf-8"}
READ = "read"
BROKE = "the connection broke off"
PRIVATE = "private address"
LITTLE = 70_000  # bytes: one piece from the network
TAKEN = 2_300_000  # the 2 MB that are taken of a text, and what came with the last piece


@dataclass(frozen=True)
class Case:
    name: str
    verdict: str  # `read`, or the reason why not; "a or b" where that is the extractor's to say
    behaviour: Behaviour | None = None  # of /page
    bytes: int = LITTLE  # received over the network, at most
    deadline: float = (
        1.5  # seconds for the page; a connection has a quarter of it, a head two thirds, a silence two fifths
    )
    url: str = f"http://{HOST}/page"
    pages: Mapping[str, Behaviour] = field(default_factory=dict)  # beside the page
    reach: Callable[[WebServer], Reach] | None = None
    server: str = "http"  # or `tls`, `silent` (accepts and says nothing), `full` (accepts nobody)


def body(content: bytes, headers: Mapping[str, str] = {}) -> Behaviour:
    return raw(head(200, {"Content-Type": "text/html", **headers}) + content)


def packed(content: bytes, coding: str) -> Behaviour:
    return body(content, {"Content-Encoding": coding})


def chunked(content: bytes) -> Behaviour:
    return raw(head(200, {**PLAIN, "Transfer-Encoding": "chunked"}) + content)


def again_and_again(first: bytes, piece: bytes, every: float = 0.0) -> Behaviour:
    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(every)

    return behave


def broken_off(first: bytes) -> Behaviour:
    """Something, and a moment later a reset."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        await writer.drain()
        await asyncio.sleep(0.05)
        await reset()(request, writer)

    return behave


def pausing(seconds: float) -> Behaviour:
    """Redirects to itself, each after a pause."""

    async def behave(request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await redirect("/page")(request, writer)

    return behave


def to(location: str) -> Behaviour:
    return raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location.encode() + b"\r\n\r\n")


def lie(content: str | bytes, declared: str) -> Behaviour:
    return page(content, type=declared)


# ------------------------------------------------------------------------------------------------- DNS


def answering(*answers: Sequence[str]) -> Callable[[WebServer], Reach]:
    """A DNS that answers differently each time: `here` is the test's server as if it were public."""

    def reach(web: WebServer) -> Reach:
        turns = iter(answers)

        async def resolve(name: str, port: int) -> list[Address]:
            told = next(turns, answers[-1])
            return [Address("127.0.0.1", web.port, exempt=True) if a == "here" else Address(a, port) for a in told]

        return Reach(resolver=resolve)

    return reach


def never(web: WebServer) -> Reach:
    async def resolve(name: str, port: int) -> list[Address]:
        await asyncio.sleep(3_600)
        return []

    return Reach(resolver=resolve)


# ------------------------------------------------------------------------------------------------- the table

HANGS = [
    Case("DNS never answers", "no connection in time", reach=never),
    Case("TCP is never accepted", "no connection in time", server="full"),
    Case("TLS never answers", "no connection in time", server="silent", url=f"https://{HOST}/page"),
    Case("no byte of a reply", "no answer in time", hang()),
    Case("half a status line", "no answer in time", hang(b"HTTP/1.1 20")),
    Case("half of the headers", "no answer in time", hang(b"HTTP/1.1 200 OK\r\nContent-Ty")),
    Case(
        "a header now and then",
        "no answer in time",
        again_and_again(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0.05),
    ),
    Case("headers, then silence", "stopped halfway", hang(head(200, PLAIN))),
    Case("half a body, then silence", "stopped halfway", hang(head(200, PLAIN) + HTML.encode()[:300])),
    Case("slow drip", "timed out", drip(b"<p>x", every=0.05)),
    Case("redirects, each after a pause", "timed out", pausing(0.4)),
    Case("robots.txt hangs", "its robots.txt does not answer", page(HTML), pages={"/robots.txt": hang()}),
]

SIZES = [
    Case("endless HTML", READ, endless(f"<p>{WORDS}</p>".encode().ljust(10_000)), TAKEN, deadline=15),
    Case(
        "endless chunks",
        READ,
        again_and_again(
            head(200, {**PLAIN, "Transfer-Encoding": "chunked"}),
            b"2710\r\n" + f"<p>{WORDS}".encode().ljust(10_000) + b"\r\n",
        ),
        TAKEN,
        deadline=15,
    ),
    Case(
        "endless PDF",
        "too large (over 20 MB)",
        again_and_again(head(200, PLAIN) + b"%PDF-1.7\n", b"x" * 500_000),
        20_600_000,
        deadline=10,
    ),
    Case(
        "announces 99 GB of PDF",
        "too large (over 20 MB)",
        body(b"%PDF-1.7" + b"x" * 9_000, {"Content-Length": "9" * 11}),
    ),
    Case("gzip bomb, 2 GB", READ, packed(bombs.gzip(), "gzip"), deadline=15),
    Case("deflate bomb, 2 GB", READ, packed(bombs.deflate(), "deflate"), deadline=15),
    Case("br bomb, 2 GB", READ, packed(bombs.br(), "br"), deadline=15),
    Case("zstd bomb, 2 GB", READ, packed(bombs.zstd(), "zstd"), deadline=15),
    Case("nested bomb, 11 kB to 2 GB", READ, packed(bombs.nested(), "gzip, deflate"), deadline=15),
    Case("six layers of packing", "packed too many times over", packed(b"x", ", ".join(["gzip"] * 6))),
    Case(
        "a bomb of which nothing comes out",
        "unpacks to too much",
        packed(bombs.silent(), "gzip, gzip"),
        1_100_000,
        deadline=10,
    ),
    Case("half a million empty frames", "garbled encoding", packed(bombs.empty_frames(), "zstd"), 1_100_000),
    Case("a header of 300 kB", BROKE, raw(head(200, {"X": "y" * 300_000})), 260_000),
    Case("10,000 headers", BROKE, raw(head(200, {f"X-{n}": "y" * 20 for n in range(10_000)})), 260_000),
    Case("headers without end", BROKE, again_and_again(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1_000), 260_000),
    Case(
        "1xx replies without end",
        "too large a reply",
        again_and_again(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1_000),
        330_000,
    ),
    Case(
        "trailers without end",
        BROKE,
        again_and_again(
            head(200, {**PLAIN, "Transfer-Encoding": "chunked"}) + b"3\r\n<p>\r\n0\r\n", b"X: y\r\n" * 1_000
        ),
        400_000,
    ),
    Case(
        "a chunk's extension without end",
        BROKE,
        again_and_again(head(200, {**PLAIN, "Transfer-Encoding": "chunked"}) + b"5;x=", b"y" * 9_000),
        400_000,
    ),
    Case("900 cookies", READ, raw(head(200, PLAIN)[:-2] + b"Set-Cookie: a=b\r\n" * 900 + b"\r\n" + HTML.encode())),
]

WAYS = [
    Case("a loop of redirects", "too many redirects", redirect("/page")),
    Case(
        "six redirects",
        "too many redirects",
        redirect("/1"),
        pages={f"/{n}": redirect(f"/{n + 1}") for n in range(1, 7)},
    ),
    Case("to loopback", PRIVATE, to("http://127.0.0.1/secret")),
    Case("to loopback by name", PRIVATE, to("http://inside.example/secret")),
    Case("to loopback in decimal", PRIVATE, to("http://2130706433/secret")),
    Case("to loopback in octal", "not an address", to("http://0177.0.0.1/secret")),
    Case("to loopback in hex", PRIVATE, to("http://0x7f.1/secret")),
    Case("to loopback with a dot behind", PRIVATE, to("http://127.0.0.1./secret")),
    Case("to loopback, percent-encoded", PRIVATE, to("http://%31%32%37.0.0.1/secret")),
    Case("to loopback in full width", "not an address", to("http://１２７.0.0.1/secret")),
    Case("to loopback, mapped", PRIVATE, to("http://[::ffff:7f00:1]/secret")),
    Case("to loopback through NAT64", PRIVATE, to("http://[64:ff9b::7f00:1]/secret")),
    Case("to loopback through 6to4", PRIVATE, to("http://[2002:7f00:1::]/secret")),
    Case("to a cloud's metadata", PRIVATE, to("http://169.254.169.254/latest/meta-data/")),
    Case("to a private address without scheme", PRIVATE, to("//10.0.0.1/secret")),
    Case("to file:", "not an http(s) address", to("file:///etc/passwd")),
    Case("to gopher:", "not an http(s) address", to("gopher://127.0.0.1:6379/_FLUSHALL")),
    Case("to data:", "not an http(s) address", to("data:text/html,<p>x")),
    Case("to port 22", "port 22 is not for pages", to(f"http://{HOST}:22/")),
    Case("with a user name", "a user name in the address", to(f"http://{HOST}@127.0.0.1/secret")),
    Case(
        "with a backslash before the user name", "a user name in the address", to(f"http://{HOST}\\@127.0.0.1/secret")
    ),
    Case("with CR and LF, percent-encoded", "404", to("/a%0d%0aX-Evil:%20yes")),
    Case("with a bare CR", BROKE, to("/a\rX-Evil: yes")),
    Case("with a NUL", BROKE, to("/a\0b")),
    Case("to what is no name in IDNA", "not an address", to("http://xn--127.0.0.1-/secret")),
    Case("to what is no address", "not an address", to("http://[zz]/")),
    Case("to 40 kB of address", "an address of over 8,000 characters", to("/" + "a" * 40_000)),
    Case("to nowhere", "302", raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")),
    Case("a user name in the search's own link", "a user name in the address", url=f"http://a@{HOST}/page"),
    Case(
        "DNS says private the second time",
        PRIVATE,
        page(HTML, headers={"Connection": "close"}),
        pages={"/robots.txt": page("", headers={"Connection": "close"})},
        reach=answering(["here"], ["127.0.0.1"]),
    ),
    Case("DNS says public and private", PRIVATE, reach=answering(["93.184.216.34", "192.168.1.1"])),
    Case("DNS says 6to4 of loopback", PRIVATE, reach=answering(["2002:7f00:1::"])),
    Case("DNS says nothing", "no such host", reach=answering([])),
]

WIRE = [
    Case("reset at once", BROKE, reset()),
    Case("closed without a word", BROKE, raw(b"")),
    Case("reset in the middle of the body", BROKE, broken_off(head(200, PLAIN) + HTML.encode()[:300])),
    Case("shorter than announced", BROKE, body(HTML.encode(), {"Content-Length": "999999"})),
    Case("longer than announced", READ, body(HTML.encode() + b"x" * 5_000, {"Content-Length": str(len(HTML))})),
    Case(
        "two lengths that differ",
        BROKE,
        raw(head(200, PLAIN)[:-2] + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\nhello"),
    ),
    Case("a negative length", BROKE, body(HTML.encode(), {"Content-Length": "-5"})),
    Case(
        "a length and chunks at once",
        READ,
        body(
            b"%x\r\n%s\r\n0\r\n\r\n" % (len(HTML), HTML.encode()),
            {"Content-Length": "3", "Transfer-Encoding": "chunked"},
        ),
    ),
    Case("a chunk's size that is none", BROKE, chunked(b"ZZ\r\n<p>hello\r\n0\r\n\r\n")),
    Case("a chunk larger than memory", BROKE, chunked(b"F" * 15 + b"\r\n<p>hello")),
    Case("chunks without their end", BROKE, chunked(b"5\r\n<p>he\r\n")),
    Case("HTTP/0.9", BROKE, raw(HTML.encode())),
    Case("HTTP/7.5", READ, raw(b"HTTP/7.5 200 OK\r\n\r\n" + HTML.encode())),
    Case("an SSH server", BROKE, raw(b"SSH-2.0-OpenSSH_9.2p1\r\n")),
    Case("HTTP/2 without asking", BROKE, raw(b"\0\0\x12\4\0\0\0\0\0" * 20)),
    Case("status 0", BROKE, raw(b"HTTP/1.1 000 Nothing\r\n\r\n")),
    Case("status 999", "999", raw(b"HTTP/1.1 999 Denied\r\nContent-Length: 0\r\n\r\n")),
    Case("switches to another protocol", BROKE, raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello")),
    Case("304 that nobody asked for", "304", raw(b"HTTP/1.1 304 Not Modified\r\n\r\n")),
    Case("206, a part", "206", raw(head(206, PLAIN) + HTML.encode())),
    Case(
        "TLS where none was asked for",
        "its robots.txt cannot be read (the connection broke off)",
        page(HTML),
        server="tls",
        url=f"http://{HOST}/page",
    ),
    Case("no TLS where it was asked for", "no connection in time", page(HTML), url=f"https://{HOST}/page"),
    Case("a certificate of nobody", "bad certificate", page(HTML), server="tls", url=f"https://{HOST}/page"),
    Case("says gzip and is not", "garbled encoding", packed(HTML.encode(), "gzip")),
    Case("gzip cut in the middle", READ, packed(gzip.compress(HTML.encode() * 50, 0)[:30_000], "gzip")),
    Case("a packing that nobody knows", READ, packed(HTML.encode(), "rot13")),
    Case("gzip within gzip, for no reason", READ, packed(gzip.compress(gzip.compress(HTML.encode())), "gzip, gzip")),
]

KINDS = [
    Case("PNG that says HTML", "not text (image/png)", lie(b"\x89PNG\r\n\x1a\n" + bytes(5_000), "text/html")),
    Case("PDF that says HTML", READ, lie(pdf([WORDS] * 6), "text/html"), deadline=5),
    Case("HTML that says PDF", READ, lie(HTML, "application/pdf"), deadline=5),
    Case("a program that says text", "not text (a program)", lie(b"\x7fELF" + bytes(5_000), "text/plain")),
    Case("noise that says HTML", "not text (binary data)", lie(bytes(range(256)) * 50, "text/html")),
    Case("UTF-16 with a mark", READ, lie(HTML.encode("utf-16"), "text/html"), deadline=5),
    Case(
        "UTF-16 without a mark that says UTF-8",
        READ,
        lie(HTML.encode("utf-16-le"), "text/html; charset=utf-8"),
        deadline=5,
    ),
    Case("UTF-8 that says UTF-16", READ, lie(HTML, "text/html; charset=utf-16"), deadline=5),
    Case("a charset that is a program", READ, lie(HTML, "text/html; charset=zip"), deadline=5),
    Case("a charset that nobody knows", READ, lie(HTML, "text/html; charset=klingon-8"), deadline=5),
    Case("NULs in the text", READ, lie(HTML.replace(" 2", " \0 2"), "text/html"), deadline=5),
    Case("NULs all over the text", "not text (binary data)", lie(HTML.replace("e", "e\0"), "text/html")),
    Case("nothing but white space", "empty page", lie(" \n" * 9_000, "text/html")),
    Case(
        "100,000 elements inside each other",
        READ,
        lie("<p>" + WORDS * 5 + "<div>" * 100_000 + WORDS, "text/html"),
        700_000,
        deadline=15,
    ),
    Case(
        "an attribute of 5 MB",
        READ,
        lie(html("A page", WORDS * 9, f'<b title="{"x" * 5_000_000}">y</b>', WORDS * 9), "text/html"),
        TAKEN,
        deadline=15,
    ),
    Case("a word of 5 MB", READ, lie(html("A page", WORDS * 9, "x" * 5_000_000), "text/html"), TAKEN, deadline=15),
    Case(
        "200,000 line breaks",
        "read or took longer than 20 s to read",
        lie("<p>" + WORDS + "<br>" * 200_000, "text/html"),
        900_000,
        deadline=15,
    ),
    Case(
        "a million entities", READ, lie(html("A page", WORDS * 9, "&amp;" * 300_000), "text/html"), TAKEN, deadline=15
    ),
]

REFUSALS = [
    Case("403", "403", page("Go away", status=403)),
    Case(
        "429, come back in an hour", "429 (asks to wait 3600 s)", page("", status=429, headers={"Retry-After": "3600"})
    ),
    Case("429, for ever", "429", page("", status=429, headers={"Retry-After": "0"})),
    Case("429, come back at no time", "429", page("", status=429, headers={"Retry-After": "soon"})),
    Case("503", "503", page("", status=503)),
    Case(
        "robots.txt of 5 MB",
        READ,
        page(HTML),
        650_000,
        pages={"/robots.txt": page("User-agent: *\n" + "Disallow: /x*y\n" * 350_000, type="text/plain")},
        deadline=5,
    ),
    Case(
        "robots.txt fails",
        "its robots.txt cannot be read (500)",
        page(HTML),
        pages={"/robots.txt": page("", status=500)},
    ),
    Case(
        "robots.txt forbids",
        "kept out by robots.txt",
        page(HTML),
        pages={"/robots.txt": page("User-agent: *\nDisallow: /", type="text/plain")},
    ),
    Case(
        "robots.txt leads inside",
        "its robots.txt cannot be read (private address)",
        page(HTML),
        pages={"/robots.txt": to("http://inside.example/")},
    ),
    Case("robots.txt is a bomb", READ, page(HTML), pages={"/robots.txt": packed(bombs.gzip(), "gzip")}, deadline=5),
]

TABLE = [*HANGS, *SIZES, *WAYS, *WIRE, *KINDS, *REFUSALS]
