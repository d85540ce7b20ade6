"""How the parts of a declared page are drawn: tabs, sections with their switches, contents,
files.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import streamlit as st

from optviz.experiments.page import (
    Caption,
    Context,
    Expander,
    Option,
    Page,
    Row,
    Section,
    View,
    Widget,
)
from optviz.experiments.test_set import test_set
from optviz.plot import Figure, ImageGrid, Table
from optviz.translation import _
from optviz.ui.cache import PICTURE_CACHE, encoded
from optviz.ui.components import download_button, page_contents, show, table
from optviz.ui.controls import switch
from optviz.ui.live import can_grow, growth_message
from optviz.ui.session import session

BESIDE = 30_000  # bytes of tables, words and small images of a part, at most, roughly


def tabs(context: Context, view: View):
    """Draw the tab that is open; then the files."""
    session().growing_parts = []
    parts = {tab.label: tab.parts for tab in view.tabs}
    opened = next(iter(parts))
    if len(parts) > 1:
        wanted, n = session().tabs.get(context.page.key, ("", 0))
        key = f"{context.page.key}-tabs" + (f"-{n}" if n else "")
        opened = switch(_("Results"), {label: label for label in parts}, key, default=wanted)
    for i, part in enumerate(parts[opened]):
        if isinstance(part, Section):
            with st.container():  # its place, also where it shows nothing
                _section(context, part, f"{context.page.key}-{opened}-{i}")
        else:
            draw_part(context, part)
    draw_part(context, test_set)
    _downloads(context, view)


def _section(context, section, key):
    """Draw its parts, and its switches, which are read first, also where they stand below."""
    if not section.when(context):
        return
    if section.folded:
        box = st.expander(section.folded, key=f"folded-{key}", on_change="rerun")
        if box.open:
            with box:
                _section(context, replace(section, folded=""), key)
        return
    above = st.container() if section.options_below else None
    if section.options:
        with st.container(horizontal=True, vertical_alignment="center", key=f"options-{key}"):
            for option in section.options:
                context = context.with_options({option.name: _option(context, option)})
    with above or st.container():
        for part in section.parts:
            draw_part(context, part)


def name_of_part(page: Page, part) -> str:
    """The key of a part's content."""
    return f"{page.key}-{part.__name__.strip('_')}"


def draw_part(context: Context, part) -> None:
    """Draw a part's content."""
    content, name = _make(context, part), name_of_part(context.page, part)
    _show(content, name)
    may_grow = any(can_grow(key) for key, _figure in pictures(content, name))
    if may_grow and not getattr(part, "paced", False):
        session().growing_parts.append((part, context.options))


def _make(context, part):
    """A part's content in a context; of a shared part once for all who watch the same."""
    if not getattr(part, "shared", False):
        return part(context)

    def compute():
        content = part(context)
        return content, [encoded(figure) for _name, figure in pictures(content, "")]

    def size_of(value):
        return BESIDE + sum(picture.bytes for picture in value[1])

    return PICTURE_CACHE.get((part, *context.key), compute, size_of)[0]


def pictures(content, key: str) -> Iterator[tuple[str, Figure]]:
    """The figures in a part's content, by name."""
    if isinstance(content, Figure):
        yield key, content
    elif isinstance(content, Row | list | tuple):
        for i, part in enumerate(content.parts if isinstance(content, Row) else content):
            yield from pictures(part, f"{key}-{i}")


def growing(context: Context) -> dict[str, dict]:
    """What is new in the pictures of the open tab, by name."""
    messages = {}
    for part, options in session().growing_parts:
        content = _make(context.with_options(options), part)
        for key, figure in pictures(content, name_of_part(context.page, part)):
            messages |= {key: message} if (message := growth_message(key, figure)) else {}
    return messages


def _option(context, option: Option):
    """The value of a switch, which may depend on those before it."""
    choices = option.choices(context) if callable(option.choices) else option.choices
    default = option.default(context) if callable(option.default) else option.default
    if choices is not None and len(choices) < 2:
        return default
    # another default or other choices are another widget: it begins afresh
    key = f"{context.page.key}-{option.name}-{default}" + (f"-{len(choices)}" if choices else "")
    common = {"key": key, "help": option.help or None, "disabled": option.disabled(context.options)}
    if choices is None:
        return st.toggle(option.label, default, **common)

    def name(choice):
        return choices.get(choice, "")

    keys = list(choices)
    if option.slider:
        return st.select_slider(option.label, keys, default, name, **common)
    if option.menu:
        return st.selectbox(option.label, keys, keys.index(default), name, **common)
    return st.segmented_control(
        option.label,
        keys,
        default=default,
        format_func=name,
        required=True,
        label_visibility="visible" if option.show_label else "collapsed",
        **common,
    )


def _show(content, key: str):
    """Draw a part's content."""
    match content:
        case None | "":
            st.container()  # a placeholder, or the browser would redraw what follows when it comes
        case Figure():
            show(key, content)
        case Table():
            table(content.html(), key)
        case ImageGrid():
            st.html(content.html())
        case str():
            (st.caption if isinstance(content, Caption) else st.markdown)(content)
            page_contents().texts[key] = content
        case Widget():
            content.draw()
        case Expander():
            box = st.expander(content.label, key=f"{key}-more", on_change="rerun")
            if box.open:
                with box:
                    _show(content.parts(), key)
        case Row():
            columns = st.columns(content.widths or len(content.parts), gap="small")
            for i, (column, part) in enumerate(zip(columns, content.parts, strict=True)):
                with column:
                    _show(part, f"{key}-{i}")
        case _:
            for i, part in enumerate(content):
                _show(part, f"{key}-{i}")


def _downloads(context, view):
    ready = [download for download in view.downloads if download.ready(context)]
    if ready:
        with st.container(horizontal=True, key=f"{context.page.key}-downloads"):
            for download in ready:
                download_button(
                    download.label,
                    partial(download.make, context),
                    f"optviz-{context.page.key}-{download.name}.csv",
                    key=f"{context.page.key}-{download.name}-file",
                )
