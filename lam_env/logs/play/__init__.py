"""How players come and go: sessions, gaps, leaving."""
