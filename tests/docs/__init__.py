"""The documents, compared with the program: commands, Python, tables, links and the site."""
