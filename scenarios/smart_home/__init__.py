"""People in a home with devices."""

from .scenario import SmartHome

SCENARIO = SmartHome
VERSION = 1  # since 1 households differ, and what the home senses is paid for
