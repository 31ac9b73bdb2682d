"""Units of time on the roads, in milliseconds."""

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000  # [ms]
