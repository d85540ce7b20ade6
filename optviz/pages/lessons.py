"""What is there to learn? Every lesson as a picture that opens with one click."""

from pathlib import Path

from optviz.ui.lessons import gallery

gallery(Path(__file__).parent / "trajectories.py")
