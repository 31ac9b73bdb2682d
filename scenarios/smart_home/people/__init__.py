"""The residents: who they are, what they want and do."""
