"""What a file seems to hold, before anybody believes it: its format, its columns, its events."""
