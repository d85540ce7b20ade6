"""Which optimizer trains a network best? Figure 6.9, on digits that come with the app."""
