"""What Hypothesis draws for several tests."""

from hypothesis import strategies as st


def between(k):
    """A value of a hyperparameter within its range, ends and default more often than by chance."""
    if k.kind is bool:
        return st.booleans()
    if k.kind is int:
        return st.integers(int(k.low), int(k.high))
    return st.sampled_from([k.low, k.high, k.default]) | st.floats(k.low, k.high)
