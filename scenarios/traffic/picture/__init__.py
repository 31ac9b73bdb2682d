"""The parts of the traffic picture: its data, the map, the chart of the day and the side panel."""
