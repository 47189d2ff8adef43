"""What puts a source in front of a host: the only room that knows both."""
