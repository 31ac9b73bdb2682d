"""The network of a choice: a score for each option on offer, softmax over the set (McFadden, 1974)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lam_env.core.errors import UserError
from lam_env.logs.choices import Choices


@dataclass(frozen=True)
class ChoiceSettings:
    """Of the model and its training. A penalty is the precision of a Gaussian prior: how much data outweighs it."""

    interactions: bool = True  # slopes of each option's own on context and traits
    rank: int = 8  # of the interaction of options with what is held; 0: none
    hidden: int = 32  # width of the layer that adds what is not linear; 0: none
    embedding: int = 16  # width of options' and things' embeddings before that layer
    dropout: float = 0.3
    members: int = 4  # networks whose probabilities are averaged
    passes: int = 14  # at most so many readings of the training choices
    batch: int = 256  # choices per update; fewer where a pass would have less than 30 updates
    learning_rate: float = 5e-3  # falling to 0 over `passes` as a cosine
    refit: bool = True  # once the number of passes is known, train anew on the validation choices too
    bias_penalty: float = 1.0  # of an option's own liking
    slope_penalty: float = 6.0  # of its slopes on the context
    trait_penalty: float = 1.0  # of its slopes on traits
    shared_penalty: float = 0.05  # of slopes that all options but "none" share
    held_penalty: float = 2.0  # of what is held, and of the low-rank interaction
    net_penalty: float = 0.3  # of the hidden layer and its embeddings

    def __post_init__(self) -> None:
        for name in ("members", "passes", "batch", "embedding"):
            if getattr(self, name) < 1:
                raise UserError(f"development: {name} = {getattr(self, name)} must be at least 1")
        if not 0 <= self.dropout < 1 or self.learning_rate <= 0 or min(self.rank, self.hidden) < 0:
            raise UserError("development: dropout must lie in [0, 1), learning_rate above 0, rank and hidden from 0 on")


class OfferBatch:
    """`Choices` as tensors: offered, mask (n, K), context (n, F), held (n, S) as log(1 + count), traits (n, K, G),
    chosen (n,)."""

    def __init__(self, choices: Choices):
        offered = torch.from_numpy(choices.offered)
        self.mask, self.offered = offered >= 0, offered.clamp(min=0)
        self.context = torch.from_numpy(choices.context)
        self.held = torch.log1p(torch.from_numpy(choices.held).clamp(min=0))
        self.traits = torch.from_numpy(choices.features)
        self.chosen = torch.from_numpy(choices.chosen)

    def __getitem__(self, rows: Tensor) -> OfferBatch:
        part = object.__new__(OfferBatch)
        for name, tensor in vars(self).items():
            setattr(part, name, tensor[rows])
        return part


class ChoiceNetwork(nn.Module):
    """C options, F numbers of context, S things that may be held, G traits of an option. Scores (n, K), -inf where
    nothing is on offer."""

    def __init__(self, options: int, numbers: int, things: int, traits: int, settings: ChoiceSettings):
        super().__init__()
        s = self.settings = settings

        def small(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(*shape) * 0.05)

        self.bias = nn.Parameter(torch.zeros(options))
        self.shared = nn.Parameter(torch.zeros(numbers))
        self.shared_traits = nn.Parameter(torch.zeros(traits))
        self.shared_held = nn.Parameter(torch.zeros(things))
        if s.interactions:
            self.slopes = nn.Parameter(torch.zeros(options, numbers))
            self.trait_slopes = nn.Parameter(torch.zeros(options, traits))
        if s.rank:
            self.option_side, self.held_side = small(options, s.rank), small(things, s.rank)
        if s.hidden:
            self.option_embedding, self.held_embedding = small(options, s.embedding), small(things, s.embedding)
            width = 2 * s.embedding + numbers + traits
            self.enter, self.leave = nn.Linear(width, s.hidden), nn.Linear(s.hidden, 1)
            nn.init.zeros_(self.leave.weight)

    def forward(self, batch: OfferBatch) -> Tensor:
        s, option, context = self.settings, batch.offered, batch.context
        some = (option > 0).float()  # "none" stands for the choice to take nothing
        common = context @ self.shared + batch.held @ self.shared_held
        score = self.bias[option] + some * (common[:, None] + batch.traits @ self.shared_traits)
        if s.interactions:
            score = score + (self.slopes[option] * context[:, None]).sum(-1)
            score = score + (self.trait_slopes[option] * batch.traits).sum(-1)
        if s.rank:
            score = score + (self.option_side[option] * (batch.held @ self.held_side)[:, None]).sum(-1)
        if s.hidden:
            own, bag = self.option_embedding[option], batch.held @ self.held_embedding / 3
            wide = context[:, None].expand(-1, option.shape[1], -1)
            x = torch.cat([own, own * bag[:, None], wide, batch.traits], -1)
            x = F.relu(self.enter(F.dropout(x, s.dropout, self.training)))
            score = score + self.leave(F.dropout(x, s.dropout, self.training))[..., 0]
        return score.masked_fill(~batch.mask, -torch.inf)

    def penalty(self) -> Tensor:
        """Minus the log of the prior, up to a constant; to be set against the summed log likelihood."""
        s = self.settings

        def squares(*parameters: Tensor) -> Tensor:
            return torch.stack([(p**2).sum() for p in parameters]).sum()

        total = s.bias_penalty * squares(self.bias) + s.held_penalty * squares(self.shared_held)
        total = total + s.shared_penalty * squares(self.shared, self.shared_traits)
        if s.interactions:
            total = total + s.slope_penalty * squares(self.slopes) + s.trait_penalty * squares(self.trait_slopes)
        if s.rank:
            total = total + s.held_penalty * squares(self.option_side, self.held_side)
        if s.hidden:
            layers = (*self.enter.parameters(), *self.leave.parameters())
            total = total + s.net_penalty * squares(self.option_embedding, self.held_embedding, *layers)
        return total
