"""taming-transformers' VQGAN as its paper and its checkpoints describe it, with its own names: what ours must equal.

Plain and slow on purpose: no line of it is shared with what is tested.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
import yaml
from torch import Tensor, nn


def norm(channels: int) -> nn.GroupNorm:
    return nn.GroupNorm(32, channels, eps=1e-6)


class ResnetBlock(nn.Module):
    def __init__(self, given: int, wanted: int) -> None:
        super().__init__()
        self.norm1, self.conv1 = norm(given), nn.Conv2d(given, wanted, 3, padding=1)
        self.norm2, self.conv2 = norm(wanted), nn.Conv2d(wanted, wanted, 3, padding=1)
        if given != wanted:
            self.nin_shortcut = nn.Conv2d(given, wanted, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (self.nin_shortcut(x) if hasattr(self, "nin_shortcut") else x)


class AttnBlock(nn.Module):
    """Attention among all places, by convolutions of 1×1."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = norm(channels)
        self.q, self.k, self.v, self.proj_out = (nn.Conv2d(channels, channels, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm(x)
        q, k, v = (part(h).flatten(2) for part in (self.q, self.k, self.v))
        weights = (q.transpose(1, 2) @ k * x.shape[1] ** -0.5).softmax(-1)  # [B, place that asks, place that answers]
        return x + self.proj_out((v @ weights.transpose(1, 2)).view_as(x))


class Sample(nn.Module):
    def __init__(self, channels: int, up: bool) -> None:
        super().__init__()
        self.up = up
        self.conv = nn.Conv2d(channels, channels, 3, stride=1 if up else 2, padding=1 if up else 0)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else F.pad(x, (0, 1, 0, 1)))


class Level(nn.Module):
    def __init__(self, given: int, wanted: int, blocks: int, attends: bool) -> None:
        super().__init__()
        self.block = nn.ModuleList([ResnetBlock(given if i == 0 else wanted, wanted) for i in range(blocks)])
        self.attn = nn.ModuleList([AttnBlock(wanted) for _ in range(blocks)] if attends else [])

    def forward(self, x: Tensor) -> Tensor:
        for i, block in enumerate(self.block):
            x = block(x)
            if len(self.attn):
                x = self.attn[i](x)
        return x


class Middle(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.block_1, self.attn_1 = ResnetBlock(channels, channels), AttnBlock(channels)
        self.block_2 = ResnetBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.block_2(self.attn_1(self.block_1(x)))


class Encoder(nn.Module):
    def __init__(self, c: dict) -> None:
        super().__init__()
        self.conv_in = nn.Conv2d(3, c["ch"], 3, padding=1)
        widths = [c["ch"] * factor for factor in c["ch_mult"]]
        self.down = nn.ModuleList()
        for i, width in enumerate(widths):
            attends = c["resolution"] // 2**i in c["attn_resolutions"]
            level = Level(c["ch"] if i == 0 else widths[i - 1], width, c["num_res_blocks"], attends)
            if i < len(widths) - 1:
                level.downsample = Sample(width, up=False)
            self.down.append(level)
        self.mid = Middle(widths[-1])
        self.norm_out, self.conv_out = norm(widths[-1]), nn.Conv2d(widths[-1], c["z_channels"], 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv_in(x)
        for level in self.down:
            h = level(h)
            h = level.downsample(h) if hasattr(level, "downsample") else h
        return self.conv_out(F.silu(self.norm_out(self.mid(h))))


class Decoder(nn.Module):
    """Its levels are counted from the finest, and gone through from the coarsest."""

    def __init__(self, c: dict) -> None:
        super().__init__()
        widths = [c["ch"] * factor for factor in c["ch_mult"]]
        self.conv_in = nn.Conv2d(c["z_channels"], widths[-1], 3, padding=1)
        self.mid = Middle(widths[-1])
        levels = []
        for i, width in enumerate(widths):
            attends = c["resolution"] // 2**i in c["attn_resolutions"]
            level = Level(widths[min(i + 1, len(widths) - 1)], width, c["num_res_blocks"] + 1, attends)
            if i > 0:
                level.upsample = Sample(width, up=True)
            levels.append(level)
        self.up = nn.ModuleList(levels)
        self.norm_out, self.conv_out = norm(widths[0]), nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        h = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            h = level(h)
            h = level.upsample(h) if hasattr(level, "upsample") else h
        return self.conv_out(F.silu(self.norm_out(h)))


class Model(nn.Module):
    """A VQModel; with `gumbel`, a GumbelVQ."""

    def __init__(self, c: dict, embed_dim: int, n_embed: int, gumbel: bool) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(c), Decoder(c)
        self.quant_conv = nn.Conv2d(c["z_channels"], embed_dim, 1)
        self.post_quant_conv = nn.Conv2d(embed_dim, c["z_channels"], 1)
        self.loss = nn.Module()
        self.loss.discriminator = nn.Conv2d(3, 4, 3)
        self.quantize = nn.Module()
        if gumbel:
            self.quantize.proj = nn.Conv2d(embed_dim, n_embed, 1)
            self.quantize.embed = nn.Embedding(n_embed, embed_dim)
        else:
            self.quantize.embedding = nn.Embedding(n_embed, embed_dim)

    @torch.no_grad()
    def latents(self, image: Tensor) -> Tensor:
        """Of a GumbelVQ the code at each place; of a VQModel what the nearest code is yet to be found for."""
        h = self.quant_conv(self.encoder(image))
        if not hasattr(self.quantize, "proj"):
            return h
        logits = self.quantize.proj(h)
        hard = F.one_hot(logits.argmax(1), logits.shape[1]).float()
        return torch.einsum("bhwn,nd->bdhw", hard, self.quantize.embed.weight)

    @torch.no_grad()
    def decode(self, codes: Tensor) -> Tensor:
        return self.decoder(self.post_quant_conv(codes))


class ModelCheckpoint:
    """Stands for Lightning's class of this name, whose objects its checkpoints hold."""

    def __init__(self) -> None:
        self.best_model_path = "/somewhere/else"


SHAPE = {
    "double_z": False,
    "z_channels": 24,
    "resolution": 32,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 32,
    "ch_mult": [1, 1, 2],
    "num_res_blocks": 2,
    "attn_resolutions": [8],
    "dropout": 0.0,
}


def save(
    directory: Path,
    *,
    gumbel: bool = False,
    net2net: bool = False,
    name: str = "model",
    attends: tuple[int, ...] = (8,),
) -> Model:
    """Writes a `.ckpt` as Lightning does and its `.yaml`, with random weights; returns the model that is in it."""
    torch.manual_seed(1)
    directory.mkdir(parents=True, exist_ok=True)
    shape = {**SHAPE, "attn_resolutions": list(attends)}
    model = Model(shape, 16, 40, gumbel).eval()
    parameters = {"embed_dim": 16, "n_embed": 40, "ddconfig": shape, "lossconfig": {"target": "a.b.Loss"}}
    target = f"taming.models.vqgan.{'GumbelVQ' if gumbel else 'VQModel'}"
    configuration = {"model": {"target": target, "params": parameters}}
    state = dict(model.state_dict())
    if net2net:
        state = {f"first_stage_model.{key}": value for key, value in state.items()}
        other = Model(shape, 16, 40, False)  # a condition, a picture of labels, has a VQGAN of its own
        state |= {f"cond_stage_model.{key}": value for key, value in other.state_dict().items()}
        state["transformer.pos_emb"] = torch.rand(1, 8, 4)
        stage = {"target": target, "params": parameters}
        params = {"first_stage_config": stage, "cond_stage_config": {"params": {}}, "first_stage_key": "image"}
        configuration = {"model": {"target": "taming.models.cond_transformer.Net2NetTransformer", "params": params}}
    (directory / f"{name}.yaml").write_text(yaml.safe_dump(configuration))
    lightning = {
        "epoch": 3,
        "state_dict": state,
        "callbacks": {ModelCheckpoint: {"best": torch.tensor(0.5)}, "kept": ModelCheckpoint()},
        "optimizer_states": [{"state": {0: {"exp_avg": torch.rand(3)}}, "param_groups": []}],
    }
    torch.save(lightning, directory / f"{name}.ckpt")
    return model
