"""Which settings should be tried?"""
