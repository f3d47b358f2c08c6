"""Java: what archives hold, which artifacts that is, and the runtimes that run them."""
