"""The built-in sample web: pages written for demonstration, served on loopback, and a question to ask of them.

Everything here is made up except what it says about DeepSeek-R1; one page is wrong on purpose and one tries to give
orders to whoever reads it.
"""

QUESTION = (
    "What made DeepSeek-R1 notable: how was it trained, "
    "what does the figure of 5.5 million dollars count and what does it leave out, "
    "and with which settings should R1 be used?"
)
"""What `make ask` asks: several parts, so that no single page answers it."""
