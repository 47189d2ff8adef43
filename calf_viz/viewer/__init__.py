"""Shows a source with a host: the only package that knows both."""
