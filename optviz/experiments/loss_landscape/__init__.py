"""What does the loss of a real network look like?"""
