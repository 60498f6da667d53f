"""Settings of hypothesis, for tests of what holds for any input.

The same examples in every run, whatever the clock says, and nothing written
beside the tests.
"""

import tempfile

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

HOME = tempfile.TemporaryDirectory()  # of tables that hypothesis writes
set_hypothesis_home_dir(HOME.name)
settings.register_profile(
    "same", deadline=None, derandomize=True, database=None, max_examples=40
)
settings.load_profile("same")  # before tests are made

SEEDS = st.integers(0, 2**32 - 1)
