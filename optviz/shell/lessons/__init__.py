"""Lessons: a scene to look at, what to look for in it, and what to try next. One Markdown file
each.

A file begins with TOML between two lines of `+++`: `title`, `chapter`, `order`, `source`, the
`scene` as `optviz.spec.to_dict` writes it, its `page` where it is not the first one, and the label
of its `tab` where it is not the first one of the results.
Then come two or three sentences, `## Look for` and `## Try next`. Its name without `.md` is its
key, in links too. Numbers in a text are placeholders, see `numbers`.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from optviz.shell.lessons.numbers import PlaceholderError, check_placeholders
from optviz.shell.registry import PAGES
from optviz.spec import SpecError, from_dict, validate
from optviz.translation import _

FOLDER = Path(__file__).parents[2] / "lessons"
SECTIONS = {"Look for": "look", "Try next": "next"}
FILE = re.compile(r"\+\+\+\n(.*?)\n\+\+\+\n(.*)", re.DOTALL)


class LessonError(ValueError):
    """What is wrong with a lesson; the message begins with its file."""


@dataclass(frozen=True, kw_only=True)
class Front:
    """The front matter of a file."""

    title: str
    chapter: str
    order: float
    source: str
    scene: dict
    page: str = "trajectories"
    tab: str = ""


@dataclass(frozen=True, kw_only=True)
class Lesson(Front):
    """A scene with a story."""

    key: str
    scene: object
    text: str
    look: str
    next: str

    @cached_property
    def words(self) -> str:
        """The text that is searched."""
        parts = (self.title, self.chapter, self.source, self.text, self.look, self.next)
        return " ".join(parts).casefold()


def read(path: Path) -> Lesson:
    """The lesson in a file, validated; LessonError says what is wrong with which file."""
    try:
        return _read(path)
    except (SpecError, tomllib.TOMLDecodeError, UnicodeDecodeError, LessonError) as error:
        raise LessonError(f"lesson {path.name}: {error}") from None


def _read(path):
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", path.stem):
        raise LessonError("the name of the file has only lowercase letters, digits and hyphens")
    parts = FILE.fullmatch(path.read_text(encoding="utf-8").replace("\r\n", "\n"))
    if not parts:
        raise LessonError("a lesson begins with TOML between two lines of +++")
    front = from_dict(Front, tomllib.loads(parts[1]), "the front matter")
    if front.page not in PAGES:
        raise LessonError(f"there is no page {front.page!r}")
    page = PAGES[front.page]
    scene = from_dict(type(page.opening), front.scene)
    validate(scene)
    labels = {tab.label for view in page.views.values() for tab in view.tabs}
    if front.tab and _(front.tab) not in labels:
        raise LessonError(f"there is no tab {front.tab!r}")
    texts = _sections(parts[2])
    try:
        for text in texts.values():
            check_placeholders(text, scene)
    except PlaceholderError as error:
        raise LessonError(f"{error}") from None
    return Lesson(key=path.stem, **vars(front) | {"scene": scene}, **texts)


def _sections(body):
    text, *rest = re.split(r"^## (.*)\n", body, flags=re.MULTILINE)
    titles = rest[::2]
    if sorted(titles) != sorted(SECTIONS):
        raise LessonError(
            f"its sections are {' and '.join(SECTIONS)}, not {' and '.join(titles) or 'none'}"
        )
    names = ["text", *(SECTIONS[title] for title in titles)]
    texts = {name: part.strip() for name, part in zip(names, [text, *rest[1::2]], strict=True)}
    if empty := [name for name, part in texts.items() if not part]:
        raise LessonError(f"its {empty[0]} is empty")
    return texts


def read_all(folder: Path = FOLDER) -> dict[str, Lesson]:
    """All lessons of a folder by key, in their order."""
    lessons = map(read, folder.glob("*.md"))
    in_order = sorted(lessons, key=lambda lesson: (lesson.order, lesson.key))
    return {lesson.key: lesson for lesson in in_order}


LESSONS: dict[str, Lesson] = read_all()
