"""How the agent remembers: the record (SQLite) of what was read, and two ways to find in it, by words and by meaning."""
