"""Looking at a part of the patches: what a vision transformer sees is nearly the same, and costs as much less.

As in FLIP (Li et al. 2023) and PatchDropout (Liu et al. 2023): after the patches have got their positions, some of them
are left out, others in each view; the class token stays.
"""

import torch
from torch import Tensor


def keep_some(tokens: Tensor, share: float, generator: torch.Generator, leading: int) -> Tensor:
    """A part of the tokens [n,T,C] of each of n views, at least one patch: [n,leading+k,C].

    Args:
        share: of the patches to leave out, 0 to below 1.
        generator: on the CPU; it says which.
        leading: how many tokens at the front stay, such as a class token.
    """
    count, patches = len(tokens), tokens.shape[1] - leading
    kept = max(1, round(patches * (1 - share)))
    order = torch.rand(count, patches, generator=generator).argsort(1)[:, :kept].sort(1).values + leading
    front = torch.arange(leading).expand(count, leading)
    chosen = torch.cat([front, order], 1).to(tokens.device)
    return tokens.gather(1, chosen[..., None].expand(-1, -1, tokens.shape[2]))
