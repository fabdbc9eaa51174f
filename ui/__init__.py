"""The Streamlit app: a door like the command line, built on the package's public names only."""
