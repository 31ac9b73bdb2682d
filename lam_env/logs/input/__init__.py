"""What formats share: bytes and lines of files, records, tables as columns of text, numbers made of them."""
