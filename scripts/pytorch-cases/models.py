"""Small models with random weights, of the families that people export. Each entry gives (module, example inputs)."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import transformers as hf
from torch import library

# torchvision's compiled operators are not needed here; without them its import wants these two to be known.
_operators = library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    try:
        _operators.define(_name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    except RuntimeError:
        pass
import torchvision.models as vision  # noqa: E402
from torchvision.models.convnext import CNBlockConfig, ConvNeXt  # noqa: E402
from torchvision.models.swin_transformer import (  # noqa: E402
    PatchMergingV2,
    SwinTransformer,
    SwinTransformerBlockV2,
)


def pixels(side, batch=2):
    # No zeros: at the kinks of activations conventions differ.
    return (torch.round(torch.randn(batch, 3, side, side) * 8) / 8 + 1 / 16,)


def tokens():
    return torch.randint(3, 50, (2, 9)), torch.tensor([[1] * 9, [1] * 6 + [0] * 3])


class Output(nn.Module):
    """The tensor of interest among what a transformers model gives."""

    def __init__(self, model, name):
        super().__init__()
        self.model, self.name = model, name

    def forward(self, *inputs):
        names = ["input_ids", "attention_mask"] if len(inputs) == 2 else [self.model.main_input_name]
        return getattr(self.model(**dict(zip(names, inputs)), return_dict=True), self.name)


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect")
        self.group = nn.GroupNorm(2, 8)
        self.down = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.batch = nn.BatchNorm2d(16)
        self.inner = nn.Conv2d(16, 16, 3, padding=2, dilation=2)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.last = nn.Conv2d(16, 8, 3, padding=1, padding_mode="replicate")
        self.slope = nn.PReLU(8)
        self.out = nn.Conv2d(8, 2, 1)

    def forward(self, x):
        a = F.relu(self.group(self.first(x)))
        b = F.leaky_relu(self.batch(self.down(a)))
        b = F.interpolate(F.elu(self.inner(F.max_pool2d(b, 2))), scale_factor=2, mode="bilinear")
        y = self.slope(self.last(torch.cat([self.up(b), a], 1)))
        y = F.interpolate(F.interpolate(y, size=(20, 20)), size=(11, 13), mode="bilinear", align_corners=True)
        return self.out(F.interpolate(y, scale_factor=2.0, mode="bicubic"))


class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.table = nn.Embedding(20, 6)
        self.layers = getattr(nn, kind)(6, 8, batch_first=True, **options)

    def forward(self, ids):
        return self.layers(self.table(ids))[0]


class Function(nn.Module):
    """A function of the input [2, 3, 8, 8] and of parameters of these shapes."""

    def __init__(self, function, *shapes):
        super().__init__()
        self.function = function
        self.weights = nn.ParameterList([nn.Parameter(torch.randn(*shape)) for shape in shapes])

    def forward(self, x):
        return self.function(x, *self.weights)


def swin(**options):
    return SwinTransformer(
        [4, 4], 16, [2, 2], [2, 4], [4, 4], num_classes=5, stochastic_depth_prob=0.0, **options
    )


def vit():
    model = vision.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)
    nn.init.normal_(model.heads.head.weight, 0, 0.1)
    return model


SMALL = dict(
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    vocab_size=50,
    max_position_embeddings=32,
)
NO_DROPOUT = dict(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
PATCHES = dict(
    hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32, image_size=16, patch_size=4
)


def text(model, config, output="last_hidden_state"):
    return lambda: (Output(model(config()), output), tokens())


CONVOLUTIONAL = {
    "resnet": lambda: (
        Output(
            hf.ResNetForImageClassification(
                hf.ResNetConfig(
                    embedding_size=8, hidden_sizes=[8, 16, 32], depths=[1, 2, 1], layer_type="basic", num_labels=5
                )
            ),
            "logits",
        ),
        pixels(32, 4),
    ),
    "mobilenet-v3": lambda: (vision.mobilenet_v3_small(num_classes=5, width_mult=0.35, dropout=0.0), pixels(64, 4)),
    "shufflenet": lambda: (vision.shufflenet_v2_x0_5(num_classes=5), pixels(64, 4)),
    "convnext": lambda: (
        ConvNeXt(
            [CNBlockConfig(8, 16, 1), CNBlockConfig(16, 32, 1), CNBlockConfig(32, None, 1)], num_classes=5
        ),
        pixels(32),
    ),
    "unet": lambda: (UNet(), pixels(16)),
}
TRANSFORMERS = {
    "vit": lambda: (vit(), pixels(32)),
    "swin": lambda: (swin(), pixels(32)),
    "swin-v2": lambda: (swin(block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2), pixels(32)),
    "bert": text(hf.BertModel, lambda: hf.BertConfig(**SMALL, **NO_DROPOUT)),
    "roberta": text(hf.RobertaModel, lambda: hf.RobertaConfig(**SMALL, **NO_DROPOUT)),
    "albert": text(hf.AlbertModel, lambda: hf.AlbertConfig(**SMALL, embedding_size=8, **NO_DROPOUT)),
    "distilbert": text(
        hf.DistilBertModel,
        lambda: hf.DistilBertConfig(
            vocab_size=50, dim=16, n_layers=2, n_heads=2, hidden_dim=32, max_position_embeddings=32, dropout=0.0
        ),
    ),
    "gpt2": text(
        hf.GPT2Model,
        lambda: hf.GPT2Config(
            vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32, resid_pdrop=0.0, embd_pdrop=0.0
        ),
    ),
    "llama": text(hf.LlamaModel, lambda: hf.LlamaConfig(**SMALL, num_key_value_heads=1, use_cache=False)),
    "t5-encoder": text(
        hf.T5EncoderModel,
        lambda: hf.T5Config(
            vocab_size=50, d_model=16, d_kv=8, d_ff=32, num_layers=2, num_heads=2, dropout_rate=0.0
        ),
    ),
    "clip-text": text(
        hf.CLIPTextModelWithProjection,
        lambda: hf.CLIPTextConfig(**SMALL, projection_dim=8, eos_token_id=49, bos_token_id=1, pad_token_id=0),
        "text_embeds",
    ),
    "clip-vision": lambda: (
        Output(hf.CLIPVisionModelWithProjection(hf.CLIPVisionConfig(**PATCHES, projection_dim=8)), "image_embeds"),
        pixels(16),
    ),
    "wav2vec2": lambda: (
        Output(
            hf.Wav2Vec2ForSequenceClassification(
                hf.Wav2Vec2Config(
                    hidden_size=16,
                    num_hidden_layers=2,
                    num_attention_heads=2,
                    intermediate_size=32,
                    conv_dim=(8, 8, 8),
                    conv_kernel=(10, 3, 2),
                    conv_stride=(5, 2, 2),
                    num_conv_pos_embeddings=8,
                    num_conv_pos_embedding_groups=4,
                    classifier_proj_size=8,
                    num_labels=5,
                    hidden_dropout=0.0,
                    attention_dropout=0.0,
                    activation_dropout=0.0,
                    feat_proj_dropout=0.0,
                    final_dropout=0.0,
                    layerdrop=0.0,
                    apply_spec_augment=False,
                )
            ),
            "logits",
        ),
        (torch.round(torch.randn(2, 400) * 8) / 8 + 1 / 16,),
    ),
    "whisper-encoder": lambda: (
        Output(
            hf.models.whisper.modeling_whisper.WhisperEncoder(
                hf.WhisperConfig(
                    d_model=16,
                    encoder_layers=2,
                    encoder_attention_heads=2,
                    encoder_ffn_dim=32,
                    num_mel_bins=8,
                    max_source_positions=12,
                    dropout=0.0,
                )
            ),
            "last_hidden_state",
        ),
        (torch.round(torch.randn(2, 8, 24) * 8) / 8,),
    ),
}
RECURRENT = {
    "lstm": lambda: (Recurrent("LSTM", bidirectional=True), (torch.randint(3, 20, (3, 7)),)),
    "gru": lambda: (Recurrent("GRU", num_layers=2), (torch.randint(3, 20, (3, 7)),)),
    "rnn": lambda: (Recurrent("RNN"), (torch.randint(3, 20, (3, 7)),)),
}
W = (3, 8, 8)
FUNCTIONS = {
    "pads": (
        lambda x, a: [F.pad(x * a, (1, 2, 3, 0), mode=mode) for mode in ("reflect", "replicate", "circular")],
        W,
    ),
    "pools": (
        lambda x, a: [
            F.adaptive_avg_pool2d(x * a, (4, 2)),
            F.avg_pool2d(x * a, 3, 2, 1, ceil_mode=True, count_include_pad=False),
            F.max_pool2d(x * a, 3, 2, 1, ceil_mode=True),
        ],
        W,
    ),
    "resize": (
        lambda x, a: [
            F.interpolate(x * a, size=(5, 13), mode="bilinear", align_corners=True),
            F.interpolate(x * a, scale_factor=1.5, mode="bicubic"),
        ],
        W,
    ),
    "indexing": (
        lambda x, a: [
            (x * a)[:, [0, 2], ::2, -3:],
            torch.gather(x * a, 1, torch.tensor([0, 2, 1, 1]).view(1, 4, 1, 1).expand(2, 4, 8, 8)),
            torch.topk(x * a, 3, -1)[0],
            torch.cumsum(x * a, 2),
        ],
        W,
    ),
    "activations": (
        lambda x, a: [f(x * a) for f in (F.silu, F.mish, F.gelu, F.hardswish, F.softplus, F.selu, F.elu, torch.tanh)],
        W,
    ),
    "norms": (lambda x, a: [(x * a).norm(dim=-1), (x * a).var(dim=1), F.normalize(x * a, dim=1)], W),
    "losses": (
        lambda x, a: [F.cross_entropy((x * a)[:, 0], torch.tensor([[1, 2, 3, 0] * 2, [4, 3, -100, 1] * 2]))],
        W,
    ),
    "convolutions": (
        lambda x, a, b, c: [
            F.conv2d(x, a, groups=3, padding=1, stride=2),
            F.conv_transpose2d(x, b, stride=2, padding=1, output_padding=1),
            F.conv3d(x.unsqueeze(1), c, padding=1),
        ],
        (6, 1, 3, 3),
        (3, 2, 3, 3),
        (2, 1, 3, 3, 3),
    ),
}
MODELS = {
    **CONVOLUTIONAL,
    **TRANSFORMERS,
    **RECURRENT,
    **{name: (lambda f=f, s=s: (Function(f, *s), pixels(8))) for name, (f, *s) in FUNCTIONS.items()},
}
