"""Travellers with habits who choose mode, departure time and route, and the congestion that arises from all of them."""

from .scenario import Traffic

SCENARIO = Traffic
