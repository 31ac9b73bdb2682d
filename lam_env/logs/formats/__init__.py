"""Log formats, one module each: whoever adds a module here adds a format."""
