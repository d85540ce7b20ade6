"""A scene and what is locked on its page, as a link: text for a URL, and its QR code.

A link is `2.` and base64 of zlib of JSON. The number is that of the format, which never changes,
and neither does its dictionary below, so that a link opens forever.
"""

import base64
import io
import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import segno

from optviz.shell.registry import PAGES
from optviz.spec import SpecError, canonical_json, from_dict, to_dict, validate
from optviz.translation import N_, _
from optviz.ui.locks import GROUPS, Controls

VERSION = 2
FIRST = next(iter(PAGES))  # the page of a link that names none
MAX_CHARACTERS = 8000  # of a link that is read
MAX_BYTES = 64 * 1024  # of what is in it
LINK = re.compile(r"([1-9]\d{0,5})\.(.*)", re.ASCII | re.DOTALL)
MAX_KEPT = 4  # scenes beside the one that a page shows
QUIET = 4  # modules around a QR code, which its standard asks for

DAMAGED = N_(
    "This link is damaged: a part of it is missing or was changed on its way. Copy the whole link "
    "again."
)


class LinkError(ValueError):
    """Why a link cannot be opened or made, for a person to read."""


@dataclass(frozen=True)
class SharedScene:
    """All that a link to a page contains."""

    page: str  # one of PAGES
    scene: object
    controls: Controls = Controls()
    kept: tuple = ()  # scenes beside it


@dataclass(frozen=True)
class _Payload:
    """What the link's JSON contains; without a scene it is the page's opening one."""

    page: str = FIRST
    scene: dict | None = None
    controls: Controls = Controls()
    kept: tuple[dict, ...] = ()


def encode(shared: SharedScene) -> str:
    """The link's text, the same for equal scenes; LinkError where it is longer than a link
    may be.
    """
    opening = shared.scene == PAGES[shared.page].opening
    scene, kept = None if opening else to_dict(shared.scene), tuple(map(to_dict, shared.kept))
    text = pack(to_dict(_Payload(shared.page, scene, shared.controls, kept)))
    if len(text) > MAX_CHARACTERS:
        raise LinkError(_("This is too much for a link: remove some optimizers."))
    return text


def pack(data) -> str:
    """Plain data as the text of a link."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_DEFAULT_STRATEGY, WORDS)
    packed = packer.compress(canonical_json(data).encode()) + packer.flush()
    return f"{VERSION}.{_to_base64(packed)}"


def unpack(text: str) -> str:
    """The JSON in the text of a link; LinkError where it is damaged or of another version."""
    short = isinstance(text, str) and len(text) <= MAX_CHARACTERS
    if not short or not (parts := LINK.fullmatch(text)):
        raise LinkError(_(DAMAGED))
    if (version := int(parts[1])) != VERSION:
        message = (
            _(
                "This link was made by a newer version of the app (format {format}; this one "
                "reads {own})."
            )
            if version > VERSION
            else _(
                "This link was made by an older version of the app (format {format}; this one "
                "reads {own})."
            )
        )
        raise LinkError(message.format(format=version, own=VERSION))
    return _decompress(parts[2])


def decode(text: str, page: str = FIRST) -> SharedScene:
    """What a link to a page contains. It may come from anywhere: LinkError says what is wrong with
    it.
    """
    data = unpack(text)
    try:
        payload, opening = from_dict(_Payload, json.loads(data), "link"), PAGES[page].opening
        if payload.page != page:
            raise SpecError(f"the page {payload.page[:30]!r} at the address of {page!r}")
        scene = opening if payload.scene is None else from_dict(type(opening), payload.scene)
        kept = tuple(from_dict(type(opening), scene) for scene in payload.kept)
        shared = SharedScene(page, scene, payload.controls, kept)
        check(shared)
    except SpecError as error:
        message = _("This link asks for something that the app does not have: {reason}.")
        raise LinkError(message.format(reason=error)) from None
    except (ValueError, RecursionError):  # no JSON, thousands of digits, nested beyond reason
        raise LinkError(_(DAMAGED)) from None
    return shared


def check(shared: SharedScene) -> None:
    """SpecError where a scene from outside could not have been set on the page."""
    if len(shared.kept) > MAX_KEPT:
        raise SpecError(f"there are up to {MAX_KEPT} kept scenes, not {len(shared.kept)}")
    for scene in (shared.scene, *shared.kept):
        validate(scene)
    for names in (shared.controls.locked, shared.controls.hidden):
        if len(set(names)) < len(names) or not set(names) <= set(GROUPS):
            raise SpecError(f"controls are some of {', '.join(GROUPS)}, each of them once")


def _decompress(letters):
    """The text in the letters; zlib's checksum tells whether it is complete and unchanged."""
    unpacker = zlib.decompressobj(15, WORDS)
    try:
        packed = base64.b64decode(letters + "=" * (-len(letters) % 4), b"-_", validate=True)
        data = unpacker.decompress(packed, MAX_BYTES + 1)
        text = data.decode()
    except (ValueError, zlib.error):  # no base64, no zlib, no text
        raise LinkError(_(DAMAGED)) from None
    complete = len(data) <= MAX_BYTES and unpacker.eof and not unpacker.unused_data
    # written once more: Python also reads +, / and =, and bits of the last letter that belong to no
    # byte
    if not complete or _to_base64(packed) != letters:
        raise LinkError(_(DAMAGED))
    return text


def _to_base64(packed):
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def qr_svg(url: str) -> str:
    """The address as a QR code: SVG as wide as it is told to be; LinkError where it is too long for
    one.

    Dark on white with its quiet zone, also where the page around it is dark. Inline in a page or an
    image of its own.
    """
    try:
        code = segno.make(url, error="l", micro=False)
    except ValueError:  # as well where it has no text, or not of Unicode
        message = _(
            "This link is too long for a QR code: remove some optimizers, or send the link."
        )
        raise LinkError(message) from None
    file = io.BytesIO()
    code.save(
        file,
        "svg",
        border=QUIET,
        dark="#000",
        light="#fff",
        xmldecl=False,
        svgclass=None,
        lineclass=None,
        omitsize=True,
        nl=False,
    )
    svg = file.getvalue().decode()
    return svg.replace("<svg ", '<svg role="img" aria-label="QR code of the link" ', 1)


# The dictionary of format 2: what zlib may point to in place of spelling it out. Links were made
# with these very bytes and open with no others, so that THIS MUST NEVER CHANGE, whatever is added
# or renamed elsewhere. What would gain by other words is a format 3 with a dictionary of its own
# beside this one.
WORDS = (Path(__file__).parent / "link_words.txt").read_bytes()
