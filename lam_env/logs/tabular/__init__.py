"""Tables of events: files of rows and columns as batches of text, what each column is, and numbers made of text."""
