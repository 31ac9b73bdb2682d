"""Tuned policies on disk: `policy.safetensors`, `policy.json`, `manifest.json`. Nothing is ever unpickled.

The predictor that a policy rests on is stored by itself, see `predictors.store`; a fingerprint ties the two together.
One that lies nowhere else, as it was tuned with the policy, lies in the policy's folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from lam_env.core.casts import narrow
from lam_env.core.errors import UserError
from lam_env.core.files.inputs import json_of

from ..files import ModelError, fill, read_folder, reading, to_json, weights_of, write_folder
from ..predictors.network import Predictor
from ..predictors.pool import Pool
from ..predictors.store import files_of, known, load
from .features import Layout, PriorFeatures
from .heads import HEADS
from .policy import TunedPolicy

FORMAT = 3
Known = Predictor | Pool
_WEIGHTS, ABOUT = "policy.safetensors", "policy.json"
_MOST = {_WEIGHTS: 1 << 28, ABOUT: 4 << 20}  # [bytes]
_MOST_LAYERS, _MOST_WIDTH = 16, 8192


def save_policy(policy: TunedPolicy, folder: str | os.PathLike[str]) -> None:
    """Writes a policy's head and standardisation into `folder`, whole or not at all; one that was there is replaced."""
    features, kinds = policy.features, [name for name, kind in HEADS.items() if type(policy.head) is kind]
    if not isinstance(features, PriorFeatures) or not kinds:
        raise UserError("only policies with a prior and a head of the kit's can be saved")
    own = [m for name, m in policy.head.named_modules() if not name.startswith("answers.")]
    layers = [m for m in own if isinstance(m, torch.nn.Linear)]
    about = {
        "head": kinds[0],
        "hidden": [layer.out_features for layer in layers[:-1]],
        "layout": _plain(features.layout),
        "mean": features.mean.tolist(),
        "scale": features.scale.tolist(),
        "prior": fingerprint(features.predictor),
        "with_prior": policy.with_prior,
    }
    predictor = files_of(features.predictor) if policy.with_prior else {}
    write_folder(Path(folder), {**predictor, _WEIGHTS: weights_of(policy.head), ABOUT: to_json(about)}, FORMAT)


def load_policy(folder: str | os.PathLike[str], prior: Known | Callable[[], Known] | None = None) -> TunedPolicy:
    """The policy saved in `folder`, on the predictor that lies there too, or else on `prior`, which may be what gives
    it; ModelError if it is incomplete, changed, not one of ours, or another prior's."""
    folder = Path(folder)
    with reading(folder, "policy", "train"):
        content = read_folder(folder, _MOST, FORMAT)
        about = json_of(content[ABOUT])
        if not isinstance(about, dict):
            raise ValueError(f"{ABOUT} is no mapping")
        with_prior = about.get("with_prior", False) is True
        predictor = load(folder, FORMAT) if with_prior else prior() if callable(prior) else prior
        if predictor is None:
            raise ModelError(f"{folder}: its prior lies elsewhere: give it too, or take the policy from its run")
        if about["prior"] != fingerprint(predictor):
            raise ModelError(f"{folder}: the policy was trained on another prior; take both from one run")
        features = _features(about, predictor)
        if about["layout"] != _plain(features.layout):
            raise ValueError(f"{ABOUT}: the layout does not fit the prior")
        hidden = about["hidden"]
        if not isinstance(hidden, list) or len(hidden) > _MOST_LAYERS:
            raise ValueError(f"{ABOUT}: hidden is no list of at most {_MOST_LAYERS} widths")
        if not all(type(width) is int and 1 <= width <= _MOST_WIDTH for width in hidden):
            raise ValueError(f"{ABOUT}: hidden holds no widths of 1 to {_MOST_WIDTH:,}")
        if about["head"] not in HEADS:
            raise ValueError(f"{ABOUT}: there is no such head")
        with torch.device("meta"):  # shapes first: a hostile file may ask for more memory than there is
            head = HEADS[about["head"]](features.layout, tuple(hidden))
        fill(head, content[_WEIGHTS], _WEIGHTS, ABOUT)
        return TunedPolicy(features, head, with_prior=with_prior)


def _features(about: Mapping[str, object], predictor: Predictor | Pool) -> PriorFeatures:
    mean, scale = (narrow(f"{ABOUT}: {name}", about[name], np.float32) for name in ("mean", "scale"))
    shape = (len(predictor.vocabulary.readings),)
    if mean.shape != shape or scale.shape != shape:
        raise ValueError(f"{ABOUT}: mean and scale do not fit the prior's readings")
    if not (np.isfinite(mean).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise ValueError(f"{ABOUT}: mean and scale are not finite or not positive")
    return PriorFeatures(predictor, mean, scale)


def _plain(layout: Layout) -> object:
    """As JSON gives it back."""
    return json.loads(json.dumps(dataclasses.asdict(layout)))


def fingerprint(predictor: Predictor | Pool) -> str:
    """A digest of what a predictor knows: its vocabulary, weights and counts. It finds a mix-up, not a forger."""
    digest = hashlib.sha256(json.dumps(predictor.vocabulary.to_json()).encode())
    for content in known(predictor).values():
        digest.update(content)
    return digest.hexdigest()
