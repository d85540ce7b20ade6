"""How far does a network's sharpness grow while it trains?"""
