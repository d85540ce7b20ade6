"""What is there to learn? Every lesson as a picture that opens with one click."""

from pathlib import Path

from optviz.ui.lessons import gallery

HERE = Path(__file__).parent
gallery({name: HERE / f"{name}.py" for name in ("trajectories", "activations", "initialisation", "contest")})
