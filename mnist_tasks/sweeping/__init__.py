"""Many runs: a plan of settings and seeds, the engines that run it, and how the settings rank."""
