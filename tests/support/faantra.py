"""A network from frames to anticipations that trains in a second."""

from dataclasses import replace

from playahead.lab.faantra.network import EndToEndModelConfig
from playahead.lab.recipes import faantra_frames

TINY = replace(
    faantra_frames(),
    epochs=1,
    steps_per_epoch=2,
    batch=2,
    precision="32-true",
    model=EndToEndModelConfig(
        encoder="regnety_002",
        frames=16,
        stride_frames=4,
        input_size="64x32",
        anticipator=replace(faantra_frames().model.anticipator, d_model=16, heads=2, ffn_dim=16, encoder_layers=1),
    ),
)
