"""The world: travellers, their days, and what they meet."""
