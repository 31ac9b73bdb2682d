"""Predictors of the next user action: by counting, and neural. Import the parts from their modules."""
