"""Check model files against a contract."""
