"""Are several networks wiser than one? Independent ones, snapshots of one run, averaged weights."""
