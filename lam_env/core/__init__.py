"""What every part of the kit shares: events, observations, chance, contracts, registry."""
