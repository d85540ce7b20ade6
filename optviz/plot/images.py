"""Small pictures: arrays as PNG, and rows of them with captions as HTML."""

import base64
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np


def png(pixels: np.ndarray) -> bytes:
    """`(h, w)` gray or `(h, w, 4)` RGBA, uint8, as a PNG file (ISO 15948)."""

    def chunk(kind, body):
        checksum = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)

    height, width = pixels.shape[:2]
    color = 0 if pixels.ndim == 2 else 6
    rows = b"".join(b"\0" + np.ascontiguousarray(row, np.uint8).tobytes() for row in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def data_url(pixels: np.ndarray) -> str:
    """The same as an address that carries the file itself."""
    return f"data:image/png;base64,{base64.b64encode(png(pixels)).decode()}"


@dataclass(frozen=True, eq=False)
class ImageGrid:
    """Gray pictures `(k, h, w)` in 0…1, ink dark, each with a caption and a text alternative."""

    images: np.ndarray
    captions: Sequence[str]
    alternatives: Sequence[str]

    def html(self) -> str:
        gray = (255 * (1 - np.clip(self.images, 0, 1))).astype(np.uint8)
        tiles = [
            f'<figure><img alt="{escape(alt)}" src="{data_url(image)}">'
            f"<figcaption>{escape(caption)}</figcaption></figure>"
            for image, caption, alt in zip(gray, self.captions, self.alternatives, strict=True)
        ]
        return f'<div class="ov-digits">{"".join(tiles)}</div>'
