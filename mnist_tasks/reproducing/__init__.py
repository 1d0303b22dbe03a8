"""A recorded run, trained again and compared with its record."""
