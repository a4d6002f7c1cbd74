"""The two embedded dual encoders, the guide and the judge: their eyes and readers, their heads and their loss.

Both are plain `transformers.VisionTextDualEncoderModel`s. In transformers 5.23 the pooled features of both eyes keep
two axes of length 1, over which the dual encoder's projection stumbles; `flatten_pooling` mends that on a loaded model.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.perceptors.dual_encoder import flatten_pooling

if TYPE_CHECKING:
    from transformers import VisionTextDualEncoderModel

SIZE = 64
"""Side of the picture that the eyes see, in pixels."""
MEAN, STD = 0.5, 0.25
"""Pixels 0..1 are normalised with these before the eye."""
WIDTH = 256
"""Length of the shared embedding."""


def guide(pieces: int) -> "VisionTextDualEncoderModel":
    """The untrained guide: ResNet-18's blocks at half width, a two-layer BERT; `pieces` is the tokenizer's size."""
    from transformers import BertConfig, ResNetConfig

    eye = ResNetConfig(
        embedding_size=32, hidden_sizes=[32, 64, 128, 256], depths=[2, 2, 2, 2], layer_type="basic", hidden_act="gelu"
    )
    eye.hidden_size = 256  # the dual encoder's name for the width of the pooled features
    reader = BertConfig(
        vocab_size=pieces,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=512,
        max_position_embeddings=40,
        pad_token_id=0,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return _join(eye, reader)


def judge(pieces: int) -> "VisionTextDualEncoderModel":
    """The untrained judge: a RegNet-Y eye (grouped convolutions, squeeze and excitation), a narrower, deeper BERT."""
    from transformers import BertConfig, RegNetConfig

    eye = RegNetConfig(
        embedding_size=32,
        hidden_sizes=[32, 64, 160, 288],
        depths=[1, 2, 4, 1],
        groups_width=32,
        layer_type="y",
        hidden_act="relu",
    )
    eye.hidden_size = 288
    reader = BertConfig(
        vocab_size=pieces,
        hidden_size=96,
        num_hidden_layers=3,
        num_attention_heads=3,
        intermediate_size=288,
        max_position_embeddings=40,
        pad_token_id=0,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return _join(eye, reader)


def _join(eye: object, reader: object) -> "VisionTextDualEncoderModel":
    from transformers import VisionTextDualEncoderConfig, VisionTextDualEncoderModel

    config = VisionTextDualEncoderConfig.from_vision_text_configs(eye, reader, projection_dim=WIDTH)  # type: ignore[arg-type]
    return flatten_pooling(VisionTextDualEncoderModel(config))


class Pupil(nn.Module):
    """A dual encoder with the classification heads that it has only while it is trained.

    Args:
        dual: the dual encoder.
        classes: attribute name -> number of its values.
    """

    def __init__(self, dual: "VisionTextDualEncoderModel", classes: Mapping[str, int]) -> None:
        super().__init__()
        self.dual = dual
        eye, reader = dual.vision_embed_dim, dual.text_embed_dim
        self.seen = nn.ModuleDict({name: nn.Linear(eye, count) for name, count in classes.items()})
        self.stated = nn.ModuleDict({name: nn.Linear(reader, count) for name, count in classes.items()})

    def see(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Views [n,3,S,S] in 0..1 -> (unit embeddings [n,256] float32, pooled features [n,w])."""
        pooled = self.dual.vision_model(pixel_values=(views - MEAN) / STD).pooler_output
        return F.normalize(self.dual.visual_projection(pooled).float(), dim=-1), pooled.float()

    def read(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids and mask [n,t] -> (unit embeddings [n,256] float32, pooled features [n,w])."""
        pooled = self.dual.text_model(input_ids=ids, attention_mask=mask).pooler_output
        return F.normalize(self.dual.text_projection(pooled).float(), dim=-1), pooled.float()

    def scale(self) -> Tensor:
        """The inverse temperature of the contrastive loss, kept within 1..60."""
        return self.dual.logit_scale.clamp(0.0, math.log(60.0)).exp()


def matching_loss(seen: Tensor, read: Tensor, scale: Tensor, true: Tensor) -> Tensor:
    """The symmetric softmax loss of CLIP that doesn't punish what is true.

    Args:
        seen: [n,d] unit embeddings of pictures.
        read: [m,d] of captions, m >= n: first those of the pictures, then some that belong to none (Yuksekgonul et
            al. 2023: without captions in which two things have changed places, a CLIP reads a bag of words).
        scale: inverse temperature.
        true: [n,m] bool; true[i,j] where caption j is true of picture i. Off the diagonal such pairs are left out.
    """
    count = len(seen)
    logits = scale * seen @ read.T
    others = true & ~torch.eye(count, len(read), dtype=torch.bool, device=seen.device)
    logits = logits.masked_fill(others, -torch.inf)
    here = torch.arange(count, device=seen.device)
    return (F.cross_entropy(logits, here) + F.cross_entropy(logits[:, :count].T, here)) / 2


def naming_loss(heads: nn.ModuleDict, features: Tensor, labels: Tensor, weights: Mapping[str, float]) -> Tensor:
    """How well linear heads name attributes from features [n,w]; labels [n, heads], -1 where nothing is to be said."""
    total = features.new_zeros(())
    for column, (name, head) in enumerate(heads.items()):
        known = labels[:, column] >= 0
        if known.any():
            total = total + weights.get(name, 0.3) * F.cross_entropy(head(features[known]), labels[known, column])
    return total
