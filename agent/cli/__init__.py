"""The command line.  One file a command; importing this costs the standard library only."""

from agent.cli.main import main as main
