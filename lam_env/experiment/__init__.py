"""What a run is made of: settings, inputs, jobs, the pipeline, its folder and its tables."""
