"""Travellers with habits who choose mode, departure time and route, and the congestion that arises from all of them."""

from .scenario import Traffic

SCENARIO = Traffic
VERSION = 1  # since 1 travellers differ in what advice moves them
