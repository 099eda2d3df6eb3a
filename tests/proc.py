"""The mark of tests that look at processes as Linux shows them."""

import pytest

from tollkeeper.kernel import has_proc

needs_proc = pytest.mark.skipif(not has_proc(), reason="there is no /proc")
