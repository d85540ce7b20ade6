"""What is there to learn? Every lesson as a picture that opens with one click."""

from optviz.ui.lessons import gallery

gallery()
