"""Reading text files, so that one that is no text is named."""

from __future__ import annotations

from pathlib import Path


class NotTextError(ValueError):
    """A file is no UTF-8 text; the message names it, the line and what to do."""


def read_utf8(path: Path) -> str:
    """Return a file's text, without the mark that some editors put in front of it.

    Raises:
        NotTextError: It is not UTF-8.
        OSError: It cannot be read.
    """
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise NotTextError(
            f"{path}:{line}: not UTF-8 text (byte 0x{raw[error.start]:02x}); is it the right file? If so, convert it "
            "with iconv -t UTF-8"
        ) from None
