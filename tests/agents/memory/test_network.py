"""The network of answers: its guess, and that it learns what households answer."""

import numpy as np
import pytest
import torch
from lam_env.agents.memory.heard import ACCEPTED, COUNTS, IN_VAIN, OVERRIDDEN, REJECTED
from lam_env.agents.memory.network import FEATURES, OUTCOMES, PARTS, AnswerNet
from lam_env.agents.memory.trial import ActAnswers, fit

A = 3


def features(net, q, accepted=0.0, refused=0.0, part=0):
    """Of one world, whose kinds have been answered alike in this part of the day."""
    counts = torch.zeros(1, COUNTS, A)
    counts[0, ACCEPTED], counts[0, REJECTED] = accepted, refused
    return net.features(torch.full((1, A), q), torch.eye(PARTS)[part : part + 1], counts)


def test_untrained_it_is_what_is_counted():
    net = AnswerNet(A)
    net.acceptance[1] = 0.5
    x = features(net, 0.8, part=1)
    assert x.shape == (1, A, FEATURES)
    said = net(x).exp()
    assert said.shape == (1, A, OUTCOMES)
    assert said[0, 0].tolist() == pytest.approx([0.4, 0.2, 0.2, 0.2], abs=1e-3)
    told = net(features(net, 0.8, accepted=1.0, refused=2.0, part=1)).exp()[0, 0].detach()
    assert told[ACCEPTED] == pytest.approx(0.8 * 1.5 / 4, abs=1e-3)  # one of three, and a half of one made up
    assert told.sum() == pytest.approx(1)


def test_one_action_at_a_time_is_as_all_at_once():
    net = AnswerNet(A)
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape))
    x = features(net, 0.3, accepted=2.0)
    alone = net(x[0], torch.arange(A))
    torch.testing.assert_close(alone, net(x)[0])


def answers(rng, n=4000):
    """Who has refused once refuses always; action 2 is overridden whatever was said; one in ten is in vain."""
    net, minds = AnswerNet(A), rng.random(n) < 0.5
    action, rows = rng.integers(0, A, n), []
    for mind in minds:
        rows.append(features(net, 0.9, refused=float(mind))[0, 0].numpy())
    answer = np.where(minds, REJECTED, ACCEPTED)
    answer = np.where(action == 2, OVERRIDDEN, answer)
    answer = np.where(rng.random(n) < 0.1, IN_VAIN, answer)
    return ActAnswers(np.array(rows), action, answer, rng.integers(0, 16, n))


def test_it_learns_what_answers_mean_and_whose_action_is_wrong():
    made = fit(AnswerNet(A), answers(np.random.default_rng(0)))
    with torch.no_grad():
        new, told = (made(features(made, 0.9, refused=r)).exp()[0] for r in (0.0, 1.0))
    assert new[0, ACCEPTED] == pytest.approx(0.9, abs=0.05)
    assert told[0, REJECTED] == pytest.approx(0.9, abs=0.05)
    assert new[2, OVERRIDDEN] == pytest.approx(0.9, abs=0.05)
    assert told[2, OVERRIDDEN] == pytest.approx(0.9, abs=0.05)


def test_a_fit_is_repeated_to_the_bit_and_leaves_what_it_was_given():
    net, data = AnswerNet(A), answers(np.random.default_rng(1), 300)
    before = {k: v.clone() for k, v in net.state_dict().items()}
    one, two = fit(net, data, seed=3), fit(net, data, seed=3)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())


def test_what_generalises_to_no_held_out_world_is_not_kept():
    rng = np.random.default_rng(2)
    data = answers(rng, 64)
    noise = data._replace(answer=rng.integers(0, OUTCOMES, 64))
    made, guess = fit(AnswerNet(A), noise), AnswerNet(A)
    held = noise.world // 2 % 8 == 7
    x, action, answer = (torch.from_numpy(part[held]) for part in noise[:3])
    with torch.no_grad():
        losses = [float(torch.nn.functional.nll_loss(net(x, action), answer)) for net in (made, guess)]
    assert losses[0] <= losses[1]
