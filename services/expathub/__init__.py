"""The event hub of the organisations around the Expat Centre Maastricht Region."""

__version__ = "0.1.0"
