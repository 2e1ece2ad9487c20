"""The version of this package, in one place for the build and for the wire."""

__version__ = "0.2.0"
