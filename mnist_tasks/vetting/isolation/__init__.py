"""How the vetting process confines itself."""
