"""Looks whether a question could be answered here, and says in plain words what is wrong and how to mend it.

Tries what a run needs, each once and within bounds: the model of each role, each search provider, the library's parts
and places.  Changes nothing.  Knows settings and parts, as `agent.wiring` does; prints nothing.
"""
