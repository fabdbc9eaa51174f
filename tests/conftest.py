"""What holds for every test."""

import os

# Without a model in the settings a run looks for local servers: whatever runs on this machine is no part of a test.
os.environ.setdefault("AGENT_MODEL", "extractive")
