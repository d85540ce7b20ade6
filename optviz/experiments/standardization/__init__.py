"""Why are data moved to the origin first?"""
