"""Does the rate that is best for a small network suit a wide one?"""
