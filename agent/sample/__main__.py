"""`python -m agent.sample` prints the sample question, for `make ask`."""

import sys

from agent.sample import QUESTION

if __name__ == "__main__":
    sys.stdout.write(QUESTION + "\n")
