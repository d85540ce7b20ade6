"""What is there to learn? Every lesson as a picture that opens with one click."""

from pathlib import Path

from optviz.ui.lessons import gallery
from optviz.views.pages import PAGES

gallery({key: Path(__file__).parent / f"{key}.py" for key in PAGES})
