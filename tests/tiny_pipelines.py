"""Builders of tiny image-to-video pipelines: the real classes with random weights, saved as folders like any checkpoint.

Nothing is downloaded. A folder holds 0.3 to 7 MB and loads in a tenth of a second, so tests drive the same classes, frame
rules and schedulers that real weights do. What comes out of them is noise: they prove the plumbing, not the picture.
"""

from __future__ import annotations

import atexit
import os
import string
import tempfile
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

from clipper.values import Box
from generators.values import Cutout, Move, Palette, Photo, Shot, ShotRequest, Style

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"

ACCEPTED = ("ltxv-openrail-m", "stability-community", "cogvideox", "ltx-2-community")
"""The licences of the rows that tiny pipelines count as."""

NAMES = ("wan2.2-a14b", "wan2.2-ti2v", "wan2.1", "ltx", "ltx-condition", "svd", "cogvideox", "ltx2")

CHARACTERS = [char for char in string.printable if not char.isspace()] + list("，。！？、：；商品视频镜头推近柔光白底")


@lru_cache(maxsize=1)
def _home() -> Path:
    home = tempfile.TemporaryDirectory(prefix="livecut-tiny-")
    atexit.register(home.cleanup)
    return Path(home.name)


@lru_cache(maxsize=16)
def folder(name: str) -> Path:
    """Return the folder of one of `NAMES`, built once in a process; tests that change one copy it first."""
    return build(name, _home() / name)


def shot_request(
    width: int = 64,
    height: int = 64,
    *,
    seconds: float = 0.3,
    seed: int = 7,
    prompt: str = "a red mug, slow push in, 柔光",
    negative: str = "blurry",
    move: Move = "push_in",
    fps: int = 24,
    last: bool = False,
    colour: tuple[int, int, int] = (200, 40, 40),
) -> ShotRequest:
    """Ask for a shot of a red mug: 90 x 120 pixels of white, the product in the middle."""
    photo, cutout = _mug(colour)
    palette = Palette(background="#ffffff", background_end="#eeeeee", ink="#111111", accent="#cc0000", on_accent="#ffffff")
    words = {"prompt": "", "negative": "", "light": "", "background": "", "motion": ""}
    return ShotRequest(
        shot=Shot(id="s1", photo=0, seconds=seconds, move=move, prompt=prompt, negative=negative, seed=seed),
        photo=photo,
        cutout=cutout,
        style=Style(name="plain", label="素", label_en="plain", camera=(), palette=palette, **words),
        width_px=width,
        height_px=height,
        fps=Fraction(fps),
        last=_mug((40, 40, 200))[0] if last else None,
    )


def _mug(colour: tuple[int, int, int]) -> tuple[Photo, Cutout]:
    import numpy as np

    pixels, mask = np.full((120, 90, 3), 245, np.uint8), np.zeros((120, 90), np.uint8)
    pixels[40:80, 30:60], mask[40:80, 30:60] = colour, 255
    photo = Photo(path="mug.png", sha256="".join(f"{part:02x}" for part in colour).ljust(64, "0"), pixels=pixels)
    return photo, Cutout(mask=mask, box=Box(1 / 3, 1 / 3, 1 / 3, 1 / 3), confidence=0.9, method="key")


def build(name: str, folder: Path) -> Path:
    """Write one of `NAMES` into a folder and return it."""
    import torch

    torch.set_num_threads(1)  # tiny operations only wait for each other on more
    torch.manual_seed(0)
    _BUILDERS[name]().save_pretrained(folder, safe_serialization=True)
    return folder


def save_lora_pair(folder: Path) -> tuple[Path, Path]:
    """Write LoRA files for both experts of the tiny wan2.2-a14b; each changes its expert alone."""
    return _save_lora(folder / "high.safetensors", 5), _save_lora(folder / "low.safetensors", 6)


def _save_lora(path: Path, seed: int) -> Path:
    import torch
    from safetensors.torch import save_file

    chance = torch.Generator().manual_seed(seed)
    tensors = {}
    for block in range(2):
        for part in ("to_q", "to_v"):
            stem = f"transformer.blocks.{block}.attn1.{part}"
            tensors[f"{stem}.lora_A.weight"] = torch.randn(4, 24, generator=chance)
            tensors[f"{stem}.lora_B.weight"] = torch.randn(24, 4, generator=chance)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path)
    return path


# --- text ------------------------------------------------------------------------------------------


def _tokenizer() -> Any:
    """A real T5 tokenizer over single characters: <pad> 0, </s> 1, <unk> 2."""
    from transformers import T5Tokenizer

    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    vocabulary += [(char, -3.0) for char in dict.fromkeys(CHARACTERS)]
    return T5Tokenizer(vocab=vocabulary, extra_ids=0, model_max_length=512)


def _t5(tokenizer: Any, kind: str) -> Any:
    import transformers

    config = getattr(transformers, f"{kind}Config")(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=37,
        num_layers=2,
        num_heads=4,
        relative_attention_num_buckets=8,
        dropout_rate=0.0,
        feed_forward_proj="gated-gelu",
        pad_token_id=0,
        eos_token_id=1,
        decoder_start_token_id=0,
    )
    return getattr(transformers, f"{kind}EncoderModel")(config).eval()


# --- Wan -------------------------------------------------------------------------------------------


def _wan_transformer(channels_in: int, channels_out: int, seed: int = 0, **more: Any) -> Any:
    import torch
    from diffusers import WanTransformer3DModel

    torch.manual_seed(seed)
    return WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=channels_in,
        out_channels=channels_out,
        text_dim=32,
        freq_dim=256,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=128,
        **more,
    ).eval()


def _wan_vae() -> Any:
    from diffusers import AutoencoderKLWan

    return AutoencoderKLWan(base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]).eval()


def _unipc() -> Any:
    from diffusers import UniPCMultistepScheduler

    return UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0)


def _wan(**parts: Any) -> Any:
    from diffusers import WanImageToVideoPipeline

    tokenizer = _tokenizer()
    empty: dict[str, Any] = {"image_encoder": None, "image_processor": None, "transformer_2": None}
    return WanImageToVideoPipeline(tokenizer=tokenizer, text_encoder=_t5(tokenizer, "UMT5"), **(empty | parts))


def _wan22_a14b() -> Any:
    experts = {"transformer": _wan_transformer(36, 16, 0), "transformer_2": _wan_transformer(36, 16, 1)}
    return _wan(vae=_wan_vae(), scheduler=_unipc(), boundary_ratio=0.9, **experts)


def _wan22_ti2v() -> Any:
    from diffusers import AutoencoderKLWan

    vae = AutoencoderKLWan(
        base_dim=3,
        z_dim=48,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        temperal_downsample=[False, True, True],
    ).eval()
    return _wan(vae=vae, scheduler=_unipc(), transformer=_wan_transformer(48, 48), boundary_ratio=None, expand_timesteps=True)


def _wan21() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

    seeing = CLIPVisionConfig(
        hidden_size=4, projection_dim=4, num_hidden_layers=2, num_attention_heads=2, image_size=32, intermediate_size=16, patch_size=16
    )
    return _wan(
        vae=_wan_vae(),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        transformer=_wan_transformer(36, 16, image_dim=4),
        image_encoder=CLIPVisionModel(seeing).eval(),
        image_processor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
    )


# --- LTX-Video -------------------------------------------------------------------------------------


def _ltx_parts(timesteps: bool) -> dict[str, Any]:
    """Patch 4 and three scalings give the real ratio of 32 pixels a side and 8 frames."""
    from diffusers import AutoencoderKLLTXVideo, FlowMatchEulerDiscreteScheduler, LTXVideoTransformer3DModel

    transformer = LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=1,
        caption_channels=32,
    ).eval()
    vae = AutoencoderKLLTXVideo(
        in_channels=3,
        out_channels=3,
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False),
        decoder_inject_noise=(False,) * 5,
        upsample_residual=(False,) * 4,
        upsample_factor=(1, 1, 1, 1),
        timestep_conditioning=timesteps,
        patch_size=4,
        patch_size_t=1,
        encoder_causal=True,
        decoder_causal=False,
    ).eval()
    tokenizer = _tokenizer()
    scheduler = FlowMatchEulerDiscreteScheduler()
    return {"transformer": transformer, "vae": vae, "scheduler": scheduler, "text_encoder": _t5(tokenizer, "T5"), "tokenizer": tokenizer}


def _ltx() -> Any:
    from diffusers import LTXImageToVideoPipeline

    return LTXImageToVideoPipeline(**_ltx_parts(timesteps=False))


def _ltx_condition() -> Any:
    from diffusers import LTXConditionPipeline

    return LTXConditionPipeline(**_ltx_parts(timesteps=True))


# --- Stable Video Diffusion ------------------------------------------------------------------------


def _svd() -> Any:
    from diffusers import (
        AutoencoderKLTemporalDecoder,
        EulerDiscreteScheduler,
        StableVideoDiffusionPipeline,
        UNetSpatioTemporalConditionModel,
    )
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModelWithProjection

    unet = UNetSpatioTemporalConditionModel(
        block_out_channels=(32, 64),
        layers_per_block=1,
        sample_size=32,
        in_channels=8,
        out_channels=4,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
        cross_attention_dim=32,
        num_attention_heads=8,
        projection_class_embeddings_input_dim=96,
        addition_time_embed_dim=32,
    ).eval()
    vae = AutoencoderKLTemporalDecoder(
        block_out_channels=[32] * 4,
        in_channels=3,
        out_channels=3,
        down_block_types=["DownEncoderBlock2D"] * 4,
        latent_channels=4,
        layers_per_block=1,
    ).eval()
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        interpolation_type="linear",
        num_train_timesteps=1000,
        prediction_type="v_prediction",
        sigma_max=700.0,
        sigma_min=0.002,
        steps_offset=1,
        timestep_spacing="leading",
        timestep_type="continuous",
        trained_betas=None,
        use_karras_sigmas=True,
    )
    seeing = CLIPVisionConfig(
        hidden_size=32, projection_dim=32, num_hidden_layers=2, num_attention_heads=4, image_size=224, intermediate_size=37, patch_size=32
    )
    return StableVideoDiffusionPipeline(
        unet=unet,
        image_encoder=CLIPVisionModelWithProjection(seeing).eval(),
        scheduler=scheduler,
        vae=vae,
        feature_extractor=CLIPImageProcessor(size={"shortest_edge": 224}, crop_size={"height": 224, "width": 224}),
    )


# --- CogVideoX -------------------------------------------------------------------------------------


def _cogvideox() -> Any:
    """Learned positions, as in CogVideoX-5b-I2V: only one size works, here 64 x 64."""
    from diffusers import AutoencoderKLCogVideoX, CogVideoXDDIMScheduler, CogVideoXImageToVideoPipeline, CogVideoXTransformer3DModel

    tokenizer = _tokenizer()
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=8,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=32,
        num_layers=1,
        sample_width=8,
        sample_height=8,
        sample_frames=9,
        patch_size=2,
        temporal_compression_ratio=4,
        max_text_seq_length=32,
        use_rotary_positional_embeddings=True,
        use_learned_positional_embeddings=True,
    ).eval()
    vae = AutoencoderKLCogVideoX(
        in_channels=3,
        out_channels=3,
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    ).eval()
    return CogVideoXImageToVideoPipeline(
        tokenizer=tokenizer, text_encoder=_t5(tokenizer, "T5"), vae=vae, transformer=transformer, scheduler=CogVideoXDDIMScheduler()
    )


# --- LTX-2 -----------------------------------------------------------------------------------------


def _gemma() -> tuple[Any, Any]:
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration, Gemma3TextConfig, GemmaTokenizer, SiglipVisionConfig

    special = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "\u2581"]
    vocabulary = {word: index for index, word in enumerate(dict.fromkeys(special + CHARACTERS))}
    reading = Gemma3TextConfig(
        vocab_size=160,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=1024,
        sliding_window=128,
    )
    seeing = SiglipVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    config = Gemma3Config(text_config=reading.to_dict(), vision_config=seeing.to_dict(), mm_tokens_per_image=4)
    return GemmaTokenizer(vocab=vocabulary, merges=[], model_max_length=1024), Gemma3ForConditionalGeneration(config).eval()


def _ltx2_transformer() -> Any:
    from diffusers import LTX2VideoTransformer3DModel

    return LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        qk_norm="rms_norm_across_heads",
        caption_channels=32,
        rope_double_precision=False,
        rope_type="split",
    ).eval()


def _ltx2_connectors() -> Any:
    from diffusers.pipelines.ltx2 import LTX2TextConnectors

    heads = {"num_attention_heads": 4, "attention_head_dim": 8, "num_layers": 1, "num_learnable_registers": None}
    both = {f"{side}_connector_{name}": value for side in ("video", "audio") for name, value in heads.items()}
    return LTX2TextConnectors(
        caption_channels=32,
        text_proj_in_factor=3,
        connector_rope_base_seq_len=32,
        rope_theta=10000.0,
        rope_double_precision=False,
        causal_temporal_positioning=False,
        rope_type="split",
        **both,
    ).eval()


def _ltx2_vaes() -> tuple[Any, Any]:
    from diffusers import AutoencoderKLLTX2Audio, AutoencoderKLLTX2Video

    picture = AutoencoderKLLTX2Video(
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, True),
        decoder_spatio_temporal_scaling=(True, True, True),
        decoder_inject_noise=(False,) * 4,
        downsample_type=("spatial", "temporal", "spatiotemporal", "spatiotemporal"),
        upsample_residual=(False,) * 3,
        upsample_factor=(1, 1, 1),
        timestep_conditioning=False,
        patch_size=4,
        patch_size_t=1,
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
        encoder_causal=True,
        decoder_causal=False,
    ).eval()
    sound = AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1,),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        norm_type="pixel",
        causality_axis="height",
        dropout=0.0,
        mid_block_add_attention=False,
        sample_rate=16000,
        mel_hop_length=160,
        is_causal=True,
        mel_bins=8,
    ).eval()
    return picture, sound


def _ltx2() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler, LTX2ImageToVideoPipeline
    from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder

    tokenizer, encoder = _gemma()
    picture, sound = _ltx2_vaes()
    vocoder = LTX2Vocoder(
        in_channels=16,
        hidden_channels=32,
        out_channels=2,
        upsample_kernel_sizes=[4, 4],
        upsample_factors=[2, 2],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        leaky_relu_negative_slope=0.1,
        output_sampling_rate=16000,
    ).eval()
    return LTX2ImageToVideoPipeline(
        transformer=_ltx2_transformer(),
        vae=picture,
        audio_vae=sound,
        scheduler=FlowMatchEulerDiscreteScheduler(),
        text_encoder=encoder,
        tokenizer=tokenizer,
        connectors=_ltx2_connectors(),
        vocoder=vocoder,
        processor=None,
        prompt_enhancer=None,
        duration_head=None,
    )


_BUILDERS: dict[str, Callable[[], Any]] = {
    "wan2.2-a14b": _wan22_a14b,
    "wan2.2-ti2v": _wan22_ti2v,
    "wan2.1": _wan21,
    "ltx": _ltx,
    "ltx-condition": _ltx_condition,
    "svd": _svd,
    "cogvideox": _cogvideox,
    "ltx2": _ltx2,
}
