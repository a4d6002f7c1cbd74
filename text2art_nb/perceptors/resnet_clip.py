"""The eye of CLIP's ResNets (Radford et al. 2021, section 2.4): RN50, RN101, RN50x4, RN50x16.

A ResNet-D: three convolutions at the start, an average before each step down. Its last average is attention: the mean
of all places asks, the places answer. Names are those of OpenAI's checkpoints.
"""

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.perceptors.fused_ops import fold_norm


class ModifiedResNet(nn.Module):
    """Features [n,D] of normalised pictures [n,3,size,size]; size is a multiple of 32."""

    def __init__(self, blocks: tuple[int, ...], width: int, size: int, output: int) -> None:
        """blocks: of each of the four levels; width: channels after the first convolutions; output: D."""
        super().__init__()
        half = width // 2
        self.conv1, self.bn1 = nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv2, self.bn2 = nn.Conv2d(half, half, 3, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv3, self.bn3 = nn.Conv2d(half, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        given = width
        for level, count in enumerate(blocks):
            inner = width * 2**level
            first = _Bottleneck(given, inner, 2 if level else 1)
            others = [_Bottleneck(inner * 4, inner, 1) for _ in range(count - 1)]
            self.add_module(f"layer{level + 1}", nn.Sequential(first, *others))
            given = inner * 4
        self.attnpool = _AttentionPool(size // 32, given, width // 2, output)
        self._levels = len(blocks)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.attnpool(self.layers(pictures)[-1])

    def shorten(self) -> None:
        """Have it compute the same with less work, frozen; its weights are no longer those of the file, then."""
        for part in list(self.modules()):
            for k in (1, 2, 3):
                fold_norm(part, f"conv{k}", f"bn{k}")
            fold_norm(part, "0", "1")  # of a `downsample`

    def layers(self, pictures: Tensor) -> list[Tensor]:
        """What the first convolutions and each level make of normalised pictures: [n,C,h,w] each."""
        x = F.relu(self.bn1(self.conv1(pictures)))
        x = F.relu(self.bn2(self.conv2(x)))
        states = [F.avg_pool2d(F.relu(self.bn3(self.conv3(x))), 2)]
        for level in range(self._levels):
            states.append(self.get_submodule(f"layer{level + 1}")(states[-1]))
        return states


class _Bottleneck(nn.Module):
    def __init__(self, given: int, inner: int, step: int) -> None:
        super().__init__()
        wanted = inner * 4
        self.conv1, self.bn1 = nn.Conv2d(given, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False), nn.BatchNorm2d(inner)
        self.conv3, self.bn3 = nn.Conv2d(inner, wanted, 1, bias=False), nn.BatchNorm2d(wanted)
        self.step = step
        self.downsample: nn.Module | None = None
        if step > 1 or given != wanted:
            parts = [("0", nn.Conv2d(given, wanted, 1, bias=False)), ("1", nn.BatchNorm2d(wanted))]
            self.downsample = nn.Sequential(OrderedDict(parts))

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.bn1(self.conv1(x)))
        h = F.relu(self.bn2(self.conv2(h)))
        if self.step > 1:
            x, h = F.avg_pool2d(x, self.step), F.avg_pool2d(h, self.step)
        h = self.bn3(self.conv3(h))
        return F.relu(h + (x if self.downsample is None else self.downsample(x)))


class _AttentionPool(nn.Module):
    def __init__(self, side: int, channels: int, heads: int, output: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.zeros(side**2 + 1, channels))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(channels, channels) for _ in range(3))
        self.c_proj = nn.Linear(channels, output)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        places = x.flatten(2).transpose(1, 2)  # [n,places,channels]
        places = torch.cat([places.mean(1, keepdim=True), places], 1)
        places = places + self.positional_embedding.to(places.dtype)

        def split(tokens: Tensor) -> Tensor:
            return tokens.unflatten(2, (self.heads, -1)).transpose(1, 2)

        asked, keys, values = self.q_proj(places[:, :1]), self.k_proj(places), self.v_proj(places)
        answer = F.scaled_dot_product_attention(split(asked), split(keys), split(values))
        return self.c_proj(answer.transpose(1, 2).flatten(2)[:, 0])
