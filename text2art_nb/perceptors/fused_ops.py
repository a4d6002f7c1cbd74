"""What an eye needn't do to see the same: four short cuts, exact but for the rounding. Three of a vision transformer's:

- Cutting a picture into patches is one product of matrices. As the convolution by which CLIPs name it, its gradient
  takes torch nine times as long on a CPU: a ninth of the whole eye.
- Of the last layer only the class token is looked at, so only that one asks, and goes through what follows: seven
  hundredths of a ViT-B.
- x·sigmoid(1.702·x), with which OpenAI trained, is torch's SiLU on another scale, which the layers before and behind it
  can bring along: one pass over the widest tensor of all, not three, and as many on the way back.

And one of a convolutional eye's:

- What batch norm does to a frozen eye's tensors, its convolutions can do themselves: a tenth of a small ResNet.
"""

from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

_STEEPNESS: Final = 1.702  # of the quick GELU's sigmoid


class Patches(nn.Module):
    """In place of a convolution whose step is its kernel's size: the same weights, under the same names."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = convolution.weight, convolution.bias

    def forward(self, pixels: Tensor) -> Tensor:
        """[n,C,h,w] of pictures [n,3,h·p,w·p]; what is left over at the right and at the bottom is not seen."""
        side = self.weight.shape[-1]
        cut = pixels.unfold(2, side, side).unfold(3, side, side)  # [n,3,h,w,p,p]
        rows = cut.permute(0, 2, 3, 1, 4, 5).flatten(3)
        return F.linear(rows, self.weight.flatten(1), self.bias).permute(0, 3, 1, 2)


@torch.no_grad()
def scale_into(before: Any, behind: Any) -> nn.SiLU:
    """What takes the place of a quick GELU between two linear layers, into which its scale goes."""
    for parameter in before.parameters():
        parameter.mul_(_STEEPNESS)
    behind.weight.div_(_STEEPNESS)
    return nn.SiLU()


def shorten(tower: Any) -> None:
    """Put the short cuts in their places in a frozen eye of `transformers`, where it has them."""
    if tower is None:
        return
    _cut_by_product(tower)
    for part in list(tower.modules()):
        fold_norm(part, "convolution", "normalization")
    for layer in getattr(getattr(tower, "encoder", None), "layers", ()):
        mlp: Any = getattr(layer, "mlp", None)
        if type(getattr(mlp, "activation_fn", None)).__name__ == "QuickGELUActivation":
            mlp.activation_fn = scale_into(mlp.fc1, mlp.fc2)


def fold_norm(parent: nn.Module, convolution: str, norm: str) -> None:
    """Have a frozen convolution do what the batch norm behind it does, if `parent` has both under these names."""
    before, behind = getattr(parent, convolution, None), getattr(parent, norm, None)
    if isinstance(before, nn.Conv2d) and isinstance(behind, nn.BatchNorm2d):
        setattr(parent, convolution, fuse_conv_bn_eval(before, behind).requires_grad_(False))
        setattr(parent, norm, nn.Identity())


def _cut_by_product(tower: Any) -> None:
    """Have an eye cut its pictures by `Patches`, if it cuts them by a convolution."""
    embeddings: Any = getattr(tower, "embeddings", None)
    convolution = getattr(embeddings, "patch_embedding", None)
    if isinstance(convolution, nn.Conv2d) and convolution.stride == convolution.kernel_size:
        embeddings.patch_embedding = Patches(convolution)


def class_token(layer: Any, tokens: Tensor) -> Tensor:
    """What a CLIP's layer, of `transformers`, makes of the first of `tokens` [n,T,C]: [n,C]."""
    attention, normed = layer.self_attn, layer.layer_norm1(tokens)

    def heads(projected: Tensor) -> Tensor:
        return projected.unflatten(2, (-1, attention.head_dim)).transpose(1, 2)

    asked = heads(attention.q_proj(normed[:, :1]))
    keys, values = heads(attention.k_proj(normed)), heads(attention.v_proj(normed))
    answer = F.scaled_dot_product_attention(asked, keys, values, scale=attention.scale)
    first = tokens[:, 0] + attention.out_proj(answer.transpose(1, 2).flatten(2)[:, 0])
    return first + layer.mlp(layer.layer_norm2(first))
