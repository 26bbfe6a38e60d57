"""The guide in its order: each function proves the lines above it.

Importing a module appends its steps to the plan, so the order of these imports is the order of the guide.
"""

# isort: off
from steps import overview  # noqa: F401
from steps import administration  # noqa: F401
from steps import samples  # noqa: F401
from steps import practices  # noqa: F401
from steps import troubleshooting  # noqa: F401
