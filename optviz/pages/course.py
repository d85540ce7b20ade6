"""What is there to explore, and in which order?"""

from optviz.ui.course import page

page()
