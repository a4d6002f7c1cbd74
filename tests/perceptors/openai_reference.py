"""OpenAI's CLIP as its paper and its checkpoints describe it, traced and saved in the format of its own files.

Written with torch's ready-made parts, where ours are written out: no line of it is shared with what is tested.
"""

from collections import OrderedDict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tests import tiny_models


class QuickGELU(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    def __init__(self, width: int, mask: Tensor | None) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // 64)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        parts = [("c_fc", nn.Linear(width, 4 * width)), ("gelu", QuickGELU()), ("c_proj", nn.Linear(4 * width, width))]
        self.mlp = nn.Sequential(OrderedDict(parts))
        self.mask = mask

    def forward(self, x: Tensor) -> Tensor:
        h = self.ln_1(x)
        x = x + self.attn(h, h, h, need_weights=False, attn_mask=self.mask)[0]
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, width: int, layers: int, mask: Tensor | None = None) -> None:
        super().__init__()
        self.resblocks = nn.Sequential(*[Block(width, mask) for _ in range(layers)])

    def forward(self, x: Tensor) -> Tensor:
        return self.resblocks(x)


class Bottleneck(nn.Module):
    def __init__(self, given: int, inner: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(given, inner, 1, bias=False), nn.BatchNorm2d(inner)
        self.conv2, self.bn2 = nn.Conv2d(inner, inner, 3, padding=1, bias=False), nn.BatchNorm2d(inner)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.conv3, self.bn3 = nn.Conv2d(inner, inner * 4, 1, bias=False), nn.BatchNorm2d(inner * 4)
        self.relu = nn.ReLU()
        self.downsample = None
        if stride > 1 or given != inner * 4:
            layers = [nn.AvgPool2d(stride), nn.Conv2d(given, inner * 4, 1, bias=False), nn.BatchNorm2d(inner * 4)]
            self.downsample = nn.Sequential(OrderedDict(zip(("-1", "0", "1"), layers, strict=True)))

    def forward(self, x: Tensor) -> Tensor:
        h = self.relu(self.bn1(self.conv1(x)))
        h = self.avgpool(self.relu(self.bn2(self.conv2(h))))
        h = self.bn3(self.conv3(h))
        return self.relu(h + (x if self.downsample is None else self.downsample(x)))


class AttentionPool(nn.Module):
    def __init__(self, side: int, width: int, heads: int, output: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.randn(side**2 + 1, width) / width**0.5)
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, output)
        self.heads = heads

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(2).permute(2, 0, 1)
        x = torch.cat([x.mean(0, keepdim=True), x]) + self.positional_embedding[:, None]
        return F.multi_head_attention_forward(
            x[:1],
            x,
            x,
            x.shape[-1],
            self.heads,
            None,
            torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias]),
            None,
            None,
            False,
            0.0,
            self.c_proj.weight,
            self.c_proj.bias,
            training=False,
            need_weights=False,
            use_separate_proj_weight=True,
            q_proj_weight=self.q_proj.weight,
            k_proj_weight=self.k_proj.weight,
            v_proj_weight=self.v_proj.weight,
        )[0][0]


class ModifiedResNet(nn.Module):
    def __init__(self, layers: tuple[int, ...], width: int, size: int, output: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width // 2, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width // 2)
        self.conv2 = nn.Conv2d(width // 2, width // 2, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width // 2)
        self.conv3 = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)
        self.avgpool, self.relu = nn.AvgPool2d(2), nn.ReLU()
        given = width
        for i, count in enumerate(layers):
            made = []
            for j in range(count):
                made.append(Bottleneck(given, width * 2**i, 2 if i > 0 and j == 0 else 1))
                given = width * 2**i * 4
            setattr(self, f"layer{i + 1}", nn.Sequential(*made))
        self.attnpool = AttentionPool(size // 32, width * 32, width * 32 // 64, output)

    def forward(self, x: Tensor) -> Tensor:
        for conv, bn in ((self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3)):
            x = self.relu(bn(conv(x)))
        x = self.avgpool(x)
        return self.attnpool(self.layer4(self.layer3(self.layer2(self.layer1(x)))))


class VisionTransformer(nn.Module):
    def __init__(self, size: int, patch: int, width: int, layers: int, output: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(width))
        self.positional_embedding = nn.Parameter(torch.randn((size // patch) ** 2 + 1, width))
        self.ln_pre, self.transformer = nn.LayerNorm(width), Transformer(width, layers)
        self.ln_post, self.proj = nn.LayerNorm(width), nn.Parameter(torch.randn(width, output))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x).flatten(2).permute(0, 2, 1)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1) + self.positional_embedding
        x = self.transformer(self.ln_pre(x).permute(1, 0, 2)).permute(1, 0, 2)
        return self.ln_post(x[:, 0]) @ self.proj


class CLIP(nn.Module):
    """As traced by OpenAI: pictures and tokens in, their features out."""

    def __init__(self, visual: nn.Module, size: int, output: int, width: int, layers: int, words: int) -> None:
        super().__init__()
        self.visual = visual
        self.token_embedding = nn.Embedding(words, width)
        self.positional_embedding = nn.Parameter(torch.randn(77, width) * 0.1)
        mask = torch.full((77, 77), -torch.inf).triu(1)
        self.transformer = Transformer(width, layers, mask)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.randn(width, output) * width**-0.5)
        self.logit_scale = nn.Parameter(torch.tensor(4.6))
        for name, value in (("input_resolution", size), ("context_length", 77), ("vocab_size", words)):
            self.register_buffer(name, torch.tensor(value))

    def read(self, tokens: Tensor) -> Tensor:
        x = self.token_embedding(tokens) + self.positional_embedding
        x = self.ln_final(self.transformer(x.permute(1, 0, 2)).permute(1, 0, 2))
        return x[torch.arange(len(x)), tokens.argmax(-1)] @ self.text_projection

    def forward(self, pictures: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        return self.visual(pictures), self.read(tokens)


def save(directory: Path, kind: str) -> CLIP:
    """Writes `kind` ("tiny RN", "tiny ViT", "RN50") with random weights, in float16 as OpenAI does, and a tokenizer.

    RN50 has the real eye, and one of the real one's twelve layers for words.

    Returns the model with the very numbers that are in the file.
    """
    torch.manual_seed(3)
    if kind == "RN50":
        size, text = 224, (1024, 512, 1, 49408)
        visual: nn.Module = ModifiedResNet((3, 4, 6, 3), 64, size, 1024)
    elif kind == "tiny RN":
        size, text = 96, (24, 64, 2, 300)
        visual = ModifiedResNet((1, 2, 1, 1), 8, size, 24)
    else:
        size, text = 64, (24, 64, 2, 300)
        visual = VisionTransformer(size, 16, 128, 2, 24)
    model = CLIP(visual, size, *text).eval()
    for part in model.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.1, 0.1)
            part.running_var.uniform_(0.1, 0.5)
    model.half().float()  # what a float16 can hold
    directory.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        traced = torch.jit.trace(model, (torch.rand(1, 3, size, size), torch.ones(1, 77, dtype=torch.long)))
    traced.half().save(directory / f"{kind.replace(' ', '-')}.pt")
    tiny_models.save_tokenizer(directory)
    return model.float()
