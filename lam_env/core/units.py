"""Units of time of people's clocks, in seconds."""

MINUTE, HOUR, DAY, WEEK = 60, 3_600, 86_400, 604_800  # [s]
