"""The version, in the one place that the build, the doors and the User-Agent read it from."""

VERSION = "0.1.0"
