"""How should the rate change while it trains?"""

from optviz.ui.schedules import page

page()
