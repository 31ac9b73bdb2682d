"""People in a home with devices."""

from .scenario import SmartHome

SCENARIO = SmartHome
