"""Roads: networks, links, loading, buses."""
