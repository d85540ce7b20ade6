"""How should the rate change while it trains?"""
