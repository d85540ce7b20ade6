"""Which settings should be tried?"""

from optviz.ui.search import page

page()
