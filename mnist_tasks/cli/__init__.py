"""The command line: options to settings, one call of the library, its result, an exit code."""
