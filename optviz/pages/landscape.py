"""What does the loss of a real network look like?"""

from optviz.ui.landscape import page

page()
