"""Numbers from outside, in the type that the kit keeps them in: checked before they are cast, never wrapped."""

from __future__ import annotations

from typing import Any

import numpy as np

from lam_env.core.errors import UserError


def narrow(what: str, values: Any, dtype: type[Any], error: type[UserError] = UserError) -> np.ndarray:
    """Numbers as an array of `dtype`, in any shape; `error` where one of them does not fit: too large, no whole number
    where only those go, or none at all. NaN and infinity fit where there are fractions."""
    try:
        given = np.asarray(values)
        if given.dtype.kind not in "iufb":
            raise TypeError
        if np.issubdtype(dtype, np.integer):
            limits = np.iinfo(dtype)
            if given.dtype.kind == "f":  # as a float, the limit of int64 is 2**63, which does not fit
                fits = (given >= limits.min) & (given < float(limits.max) + 1) & (given == np.floor(given))
            else:
                fits = (given >= limits.min) & (given <= limits.max)
        else:
            fits = ~np.isfinite(given) | (np.abs(given.astype(np.float64)) <= np.finfo(dtype).max)
    except (TypeError, ValueError, OverflowError):
        raise error(f"{what}: must be numbers that fit into {np.dtype(dtype).name}; correct it") from None
    if not fits.all():
        wrong = given[~fits].ravel()[0]
        fraction = np.isfinite(wrong) and wrong != np.floor(wrong)
        why = "is no whole number" if fraction else f"does not fit into {np.dtype(dtype).name}"
        raise error(f"{what}: {wrong} {why}; correct it")
    return given.astype(dtype)
