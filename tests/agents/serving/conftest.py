import pytest
from lam_env.agents.serving.assistant import Assistant
from policies import policy_of_five


@pytest.fixture(scope="module")
def policy():
    return policy_of_five()


@pytest.fixture
def assistant(policy):
    return Assistant(policy)
