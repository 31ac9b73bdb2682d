"""What a household's answers so far say of its next one."""
