"""How long the net on the hidden state is trained."""

import dataclasses

import numpy as np
import pytest
from lam_env.agents import informed
from people import training_of_trips


@pytest.mark.parametrize(("told", "passes"), [(None, informed.PASSES), (1, 1), (100, informed.PASSES)])
def test_it_reads_its_log_no_more_often_than_the_predictor_of_the_run(monkeypatch, told, passes):
    given, seen = training_of_trips(), []
    latent = np.zeros((len(given.train), 1), np.float32)
    given = dataclasses.replace(given, passes=told, hidden_log=lambda: (given.train, latent))
    monkeypatch.setattr(informed, "pretrain", lambda train, valid, settings, *_: seen.append(settings))
    informed.hidden_predictor(given)
    assert [settings.passes for settings in seen] == [passes]
