"""OpenAI's CLIPs from its own `.pt` files: the ResNets, for which transformers has no class, and the ViTs.

The files are TorchScript archives. Nothing of their program is loaded: `models.archive` takes the tensors out, and what
they are of follows from their shapes. The words are cut by `tokenizer.json` beside the file, the same for all of them.

Two facts don't follow from shapes: the activation and the width of an attention head. OpenAI's are known. Others
train CLIPs of the same tensor names with other ones, so a file that isn't OpenAI's own needs a config: see
`perceptors.open_clip`.
"""

import importlib
import re
import zipfile
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.errors import ModelError
from text2art_nb.models.archive import read_tensors
from text2art_nb.models.cleaning import clean
from text2art_nb.models.missing_weights import check_tokenizer
from text2art_nb.perceptors.dual_encoder import positions
from text2art_nb.perceptors.fused_ops import Patches, scale_into
from text2art_nb.perceptors.long_texts import read_in_parts
from text2art_nb.perceptors.patch_dropout import keep_some
from text2art_nb.perceptors.resnet_clip import ModifiedResNet

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
_HEAD = 64  # channels of an attention head, in all of OpenAI's
_SIGNATURE = ("input_resolution", "context_length", "vocab_size")  # only OpenAI's own archives hold these
_MOST_CODE = 16_000_000  # bytes of an archive's program that are looked at; it is never run
_NOTES = (*_SIGNATURE, "num_batches_tracked", "attn_mask")  # no weights


@dataclass(frozen=True)
class Details:
    """What the shapes of a CLIP's tensors don't say.

    Attributes:
        quick_gelu: whether the activation is x·sigmoid(1.702·x); otherwise the exact GELU.
        head_width: channels of an attention head of the eye.
        text_heads: attention heads of the text tower; None: one for each 64 channels.
        mean, std: of the pixels, by which pictures in 0..1 are normalised.
        size: pixels along each side of the pictures that the eye should see; None: what its positions say.
    """

    quick_gelu: bool = True
    head_width: int = _HEAD
    text_heads: int | None = None
    mean: tuple[float, ...] = CLIP_MEAN
    std: tuple[float, ...] = CLIP_STD
    size: int | None = None


OPENAI = Details()
"""The details of every CLIP that OpenAI published."""


class OpenAIClip:
    """A perceptor over weights with OpenAI's names; see `perceptors.base.Perceptor`."""

    def __init__(self, name: str, model: "CLIP", tokenizer: "Tokenizer", details: Details = OPENAI) -> None:
        self.name = name
        self.size = model.size
        self.augmentation = 1.0
        check_tokenizer(name, lambda text: tokenizer.encode(text).ids, model.token_embedding.num_embeddings)
        self._model = model.eval().requires_grad_(False)
        eye = model.visual.transformer if isinstance(model.visual, VisionTransformer) else model.visual
        eye.shorten()
        self._tokenizer = tokenizer
        self._device = model.logit_scale.device
        self._mean = torch.tensor(details.mean, device=self._device).view(1, 3, 1, 1)
        self._std = torch.tensor(details.std, device=self._device).view(1, 3, 1, 1)

    @property
    def network(self) -> nn.Module:
        """The frozen network."""
        return self._model

    @property
    def longest(self) -> int:
        return len(self._model.positional_embedding)

    def tokens(self, text: str) -> list[int]:
        """The ids of `text`, cleaned, with its start and end, of any length."""
        return self._tokens_of(clean(text))

    def count_tokens(self, text: str) -> int:
        return len(self.tokens(text))

    def _tokens_of(self, cleaned: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(cleaned).ids
        return ids

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> Tensor:
        cleaned = [clean(text) for text in texts]
        return read_in_parts(cleaned, lambda part: len(self._tokens_of(part)), self.longest, self._read_short)

    def _read_short(self, texts: Sequence[str]) -> Tensor:
        rows = torch.zeros(len(texts), self.longest, dtype=torch.long)
        for row, text in zip(rows, texts, strict=True):
            whole = self._tokens_of(text)
            ids = whole[: self.longest - 1]
            ids = [*ids, whole[-1]] if len(whole) > len(ids) else ids  # the end is never cut off
            row[: len(ids)] = torch.tensor(ids)
        return F.normalize(self._model.read(rows.to(self._device)).float(), dim=-1)

    def see(self, views: Tensor) -> Tensor:
        return F.normalize(self._model.visual((views - self._mean) / self._std).float(), dim=-1)

    def see_some(self, views: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """As `see`, without a share of the patches (0..0.9), others in each view. A ResNet has none and sees all."""
        if share <= 0 or not isinstance(self._model.visual, VisionTransformer):
            return self.see(views)
        seen = self._model.visual((views - self._mean) / self._std, (share, generator))
        return F.normalize(seen.float(), dim=-1)

    def layers(self, views: Tensor) -> tuple[Tensor, ...]:
        """What each layer of the eye makes of `views`: [n,positions,channels] each, from the pixels' side on."""
        states = self._model.visual.layers((views - self._mean) / self._std)
        return tuple(positions(state) for state in states)


class CLIP(nn.Module):
    """Both towers, with the names of OpenAI's checkpoints.

    visual: features [n,D] of normalised pictures [n,3,size,size].
    """

    def __init__(self, tensors: dict[str, Tensor], details: Details = OPENAI) -> None:
        """tensors: a state dict, whose shapes say all but the `details`; its numbers aren't taken over.

        Raises ValueError where the details don't fit the shapes.
        """
        super().__init__()
        vocabulary, width = tensors["token_embedding.weight"].shape
        output = tensors["text_projection"].shape[1]
        self.visual, self.size = _eye(tensors, output, details)
        self.token_embedding = nn.Embedding(vocabulary, width)
        self.positional_embedding = nn.Parameter(torch.zeros(tensors["positional_embedding"].shape))
        self.transformer = _Transformer(tensors, "", width, details.text_heads or width // _HEAD, details.quick_gelu)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.zeros(width, output))
        self.logit_scale = nn.Parameter(torch.zeros(()))

    def read(self, tokens: Tensor) -> Tensor:
        """Features [n,D] of texts [n,T] of tokens: what is known at each one's end, its token of the highest number."""
        x = self.token_embedding(tokens) + self.positional_embedding
        x = self.ln_final(self.transformer(x, causal=True))
        return x[torch.arange(len(x), device=x.device), tokens.argmax(1)] @ self.text_projection


class VisionTransformer(nn.Module):
    """The eye of CLIP's ViTs."""

    def __init__(self, tensors: dict[str, Tensor], output: int, details: Details) -> None:
        """tensors: the state dict of the CLIP that it is the eye of."""
        super().__init__()
        side = round((len(tensors["visual.positional_embedding"]) - 1) ** 0.5)
        width, _, patch, _ = tensors["visual.conv1.weight"].shape
        self.size = side * patch
        self.conv1 = Patches(nn.Conv2d(3, width, patch, stride=patch, bias=False))
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros(side**2 + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        heads = width // details.head_width
        self.transformer = _Transformer(tensors, "visual.", width, heads, details.quick_gelu)
        self.proj = nn.Parameter(torch.zeros(width, output))

    def forward(self, pictures: Tensor, dropped: tuple[float, torch.Generator] | None = None) -> Tensor:
        """dropped: the share of patches to leave out, and what says which."""
        x = self._tokens(pictures)
        if dropped is not None:
            x = keep_some(x, *dropped, leading=1)
        return self.ln_post(self.transformer.class_token(self.ln_pre(x))) @ self.proj

    def layers(self, pictures: Tensor) -> list[Tensor]:
        """What each block is given of normalised pictures, and what the last one makes of it: [n,1+patches,C] each."""
        states = [self.ln_pre(self._tokens(pictures))]
        for block in self.transformer.resblocks:
            states.append(block(states[-1]))
        return states

    def _tokens(self, pictures: Tensor) -> Tensor:
        """The class token and the patches, each with its place."""
        patches = self.conv1(pictures).flatten(2).transpose(1, 2)
        front = self.class_embedding.to(patches.dtype).expand(len(patches), 1, -1)
        return torch.cat([front, patches], 1) + self.positional_embedding.to(patches.dtype)


class _Transformer(nn.Module):
    def __init__(self, tensors: dict[str, Tensor], prefix: str, width: int, heads: int, quick_gelu: bool) -> None:
        """tensors: the state dict of the whole CLIP; prefix: of this transformer's tensors in it."""
        super().__init__()
        if not heads or width % heads:
            raise ValueError(f"{heads} attention heads don't divide {width} channels")
        layers = _count(tensors, rf"{re.escape(prefix)}transformer\.resblocks\.(\d+)\.")
        inner = len(tensors[f"{prefix}transformer.resblocks.0.mlp.c_fc.weight"])
        self.resblocks = nn.ModuleList([_Block(width, inner, heads, quick_gelu) for _ in range(layers)])

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        for block in self.resblocks:
            x = block(x, causal)
        return x

    def class_token(self, x: Tensor) -> Tensor:
        """What becomes of the first token [n,C], at whose others nobody looks."""
        last = len(self.resblocks) - 1
        for block in self.resblocks[:last]:
            x = block(x)
        return cast(_Block, self.resblocks[last]).class_token(x)

    def shorten(self) -> None:
        """Have it compute the same with less work; its weights are no longer those of the file, then."""
        for block in self.resblocks:
            mlp = cast(_Block, block).mlp
            if isinstance(mlp.gelu, _QuickGELU):
                mlp.gelu = scale_into(mlp.c_fc, mlp.c_proj)


class _Block(nn.Module):
    def __init__(self, width: int, inner: int, heads: int, quick_gelu: bool) -> None:
        super().__init__()
        self.attn = _Attention(width, heads)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        gelu = _QuickGELU() if quick_gelu else nn.GELU()
        self.mlp = nn.Sequential(OrderedDict(c_fc=nn.Linear(width, inner), gelu=gelu, c_proj=nn.Linear(inner, width)))

    def forward(self, x: Tensor, causal: bool = False) -> Tensor:
        x = x + self.attn(self.ln_1(x), causal)
        return x + self.mlp(self.ln_2(x))

    def class_token(self, x: Tensor) -> Tensor:
        """What becomes of the first token alone: [n,C]."""
        first = x[:, 0] + self.attn.first(self.ln_1(x))
        return first + self.mlp(self.ln_2(first))


class _Attention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._head = width // heads
        self.in_proj_weight = nn.Parameter(torch.zeros(width * 3, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(width * 3))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor, causal: bool) -> Tensor:
        asked = F.linear(x, self.in_proj_weight, self.in_proj_bias).unflatten(2, (3, -1, self._head))
        q, k, v = asked.permute(2, 0, 3, 1, 4)  # [n,heads,T,c] each
        answer = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        return self.out_proj(answer.transpose(1, 2).flatten(2))

    def first(self, x: Tensor) -> Tensor:
        """The answer [n,C] to the first token."""
        width = x.shape[2]
        q = F.linear(x[:, :1], self.in_proj_weight[:width], self.in_proj_bias[:width]).unflatten(2, (1, -1, self._head))
        kv = F.linear(x, self.in_proj_weight[width:], self.in_proj_bias[width:]).unflatten(2, (2, -1, self._head))
        parts = (*q.permute(2, 0, 3, 1, 4), *kv.permute(2, 0, 3, 1, 4))  # [n,heads,1 or T,c] each
        return self.out_proj(F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)[:, 0])


class _QuickGELU(nn.Module):
    """What OpenAI trained with; LAION's CLIPs have the exact GELU."""

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.sigmoid(1.702 * x)


def _eye(tensors: dict[str, Tensor], output: int, details: Details) -> tuple[ModifiedResNet | VisionTransformer, int]:
    """The eye that a state dict is of, and the size in pixels of the pictures that it sees."""
    if "visual.proj" in tensors:
        eye = VisionTransformer(tensors, output, details)
        return eye, eye.size
    size = round((len(tensors["visual.attnpool.positional_embedding"]) - 1) ** 0.5) * 32
    levels = _count(tensors, r"visual\.layer(\d+)\.") - 1
    blocks = tuple(_count(tensors, rf"visual\.layer{level}\.(\d+)\.") for level in range(1, levels + 1))
    if details.head_width != _HEAD:
        raise ValueError(f"a ResNet's attention heads are {_HEAD} channels wide, not {details.head_width}")
    return ModifiedResNet(blocks, tensors["visual.conv1.weight"].shape[0] * 2, size, output), size


def _count(tensors: dict[str, Tensor], pattern: str) -> int:
    """One more than the highest number that a pattern finds at the start of the tensors' names."""
    return 1 + max(int(match[1]) for name in tensors if (match := re.match(pattern, name)))


def find(place: Path) -> Path | None:
    """The `.pt` file in `place`, a directory or the file itself; None where there is none.

    Raises ModelError where there are several.
    """
    found = [place] if place.suffix == ".pt" and place.is_file() else sorted(place.glob("*.pt"))
    if len(found) > 1:
        raise ModelError(f"{place} holds several checkpoints: give the path of one of them, like {found[0]}")
    return found[0] if found else None


def load(name: str, place: Path, device: torch.device) -> OpenAIClip:
    """The CLIP of one of OpenAI's own `.pt` files, and the `tokenizer.json` beside it.

    Raises ModelError where they aren't there, or the file holds something else.
    """
    path = find(place)
    if path is None:
        raise ModelError(f"{place} holds no .pt file of a CLIP")
    words = tokenizer_beside(path)
    tensors = read_tensors(path)
    if not _is_openais(path, tensors):
        raise ModelError(
            f"{path} is no CLIP of OpenAI's own, so its activation and the width of its attention heads aren't known; "
            "put the open_clip_config.json of its model beside it"
        )
    return of_tensors(name, path, tensors, words, device)


def _is_openais(path: Path, tensors: dict[str, Tensor]) -> bool:
    """Whether a file is an archive as OpenAI makes them: with its notes, or a program without an exact GELU in it."""
    if all(note in tensors for note in _SIGNATURE):
        return True
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        code = [entry for entry in archive.infolist() if "/code/" in entry.filename and entry.filename.endswith(".py")]
        total = sum(entry.file_size for entry in code)
        return 0 < total < _MOST_CODE and not any(b"torch.gelu(" in archive.read(entry) for entry in code)


def of_tensors(
    name: str,
    path: Path,
    tensors: dict[str, Tensor],
    words: Path,
    device: torch.device,
    details: Details = OPENAI,
) -> OpenAIClip:
    """The CLIP of a state dict with OpenAI's names. path: its file, for errors; words: its tokenizer.json.

    Raises ModelError where the tensors are not all of one.
    """
    tensors = {key: value for key, value in tensors.items() if not key.endswith(_NOTES)}
    try:
        model = CLIP(tensors, details)
        model.load_state_dict(tensors, strict=False)  # the numbers first: what is lacking is told below
        known = model.state_dict()
    except (KeyError, ValueError, IndexError, RuntimeError) as error:
        raise ModelError(f"{path} holds no CLIP of OpenAI's kind: {str(error)[:200]}") from error
    lacking = [f"{key} is missing" for key in known if key not in tensors and not key.endswith(_NOTES)]
    strange = [f"{key} has no place in it" for key in tensors if key not in known and key != "logit_bias"]
    if lacking or strange:
        raise ModelError(f"{path} holds no CLIP of OpenAI's kind: {(*lacking, *strange)[0]}")
    if details.size not in (None, model.size):
        raise ModelError(f"{path} sees pictures of {model.size} pixels, but its config says {details.size}")
    return OpenAIClip(name, model.float().to(device), _tokenizer(words), details)


def tokenizer_beside(path: Path) -> Path:
    """The tokenizer.json in the directory of a file of tensors. Raises ModelError where there is none."""
    words = path.with_name("tokenizer.json")
    if not words.is_file():
        raise ModelError(
            f"{path} needs CLIP's tokenizer.json beside it; openai/clip-vit-base-patch32 on the hub has it"
        )
    return words


def _tokenizer(path: Path) -> "Tokenizer":
    tokenizers = importlib.import_module("tokenizers")
    try:
        tokenizer: Tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # it raises bare Exceptions
        raise ModelError(f"{path} is no tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer
