"""Vet an untrusted model file without Keras, then load and run it in a confined child process."""
