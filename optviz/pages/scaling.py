"""Why are data moved to the origin first?"""

from optviz.ui.scaling import page

page()
