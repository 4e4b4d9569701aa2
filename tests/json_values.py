"""Whatever JSON can hold, for tests of what must take all of it."""

from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
