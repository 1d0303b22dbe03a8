"""A digit classifier, fetched, trained, checked and reported, with nothing taken on trust."""

__version__ = "0.1.0"
