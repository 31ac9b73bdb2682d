"""Days of traffic driven through SUMO (Lopez et al., Microscopic traffic simulation using SUMO, ITSC 2018), as a
check."""
