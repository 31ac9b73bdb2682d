"""Worlds as Gymnasium environments: the scenario contract, single and batched environments, the checker, pictures."""
