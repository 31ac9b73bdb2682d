"""The predictor stepped inside the policy, in torch: where it is tuned, or lies on a GPU."""
