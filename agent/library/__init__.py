"""How the agent remembers: a record (SQLite) of what was read, and two ways to find in it, by words and by meaning."""
