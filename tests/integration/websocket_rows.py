"""What any two WebSocket ends may say to each other, as rows of frames and what they mean."""

from websocket_peer import PONG, TEXT, Frame, binary, more_of, ping, text

GREETING = "Hello-µ@ßöäüàá-UTF-8!!".encode()
BAD_TEXT = b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"


def echo_rows():
    """(name, frames, messages, pongs): all is well, and a Close of 1000 is answered at the end."""
    for size in (0, 1, 125, 126, 127, 128, 65535, 65536, 65537, 300_000):
        yield f"text of {size}", [text(b"*" * size)], [("text", b"*" * size)], []
        yield f"binary of {size}", [binary(b"\xfe" * size)], [("binary", b"\xfe" * size)], []
    hello = [("text", b"fragment1fragment2")]
    parts = [text(b"fragment1", fin=False), more_of(b"fragment2")]
    yield "ping", [ping(b"any \x00\xff")], [], [b"any \x00\xff"]
    yield "ping without payload", [ping()], [], [b""]
    yield "ping of 125", [ping(b"\xfe" * 125)], [], [b"\xfe" * 125]
    yield "ten pings", [ping(b"%d" % i) for i in range(10)], [], [b"%d" % i for i in range(10)]
    yield "a pong nobody asked for", [Frame(PONG, b"?"), ping(b"!")], [], [b"!"]
    yield "two fragments", parts, hello, []
    yield "a ping inside a message", [parts[0], ping(b"in"), parts[1]], hello, [b"in"]
    yield "a pong inside a message", [parts[0], Frame(PONG, b"in"), parts[1]], hello, []
    yield "empty fragments", [text(b"", fin=False), more_of(b"", fin=False), more_of(b"")], [("text", b"")], []
    yield "empty, then something", [text(b"", fin=False), more_of(b"mid", fin=False), more_of(b"")], [("text", b"mid")], []
    yield "two messages of fragments", parts + [ping(b"x")] + parts, hello * 2, [b"x"]
    letters = [more_of(bytes([byte]), fin=False) for byte in GREETING]
    letters[0].opcode, letters[-1].fin = TEXT, True
    yield "UTF-8 cut at every byte", letters, [("text", GREETING)], []
    for name, valid in {
        "greek": "κόσμε".encode(),
        "first of four bytes": b"\xf0\x90\x80\x80",
        "last of all": b"\xf4\x8f\xbf\xbf",
        "before the surrogates": b"\xed\x9f\xbf",
        "behind the surrogates": b"\xee\x80\x80",
        "a noncharacter": b"\xef\xbf\xbf",
        "zero": b"\x00",
    }.items():
        yield f"UTF-8, {name}", [text(valid)], [("text", valid)], []
    yield "binary is no text", [binary(BAD_TEXT)], [("binary", BAD_TEXT)], []
