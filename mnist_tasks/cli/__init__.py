"""The command line: options in, one library call, results and an exit code out."""
