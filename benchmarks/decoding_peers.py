"""Decoding by transformers and CTranslate2, as its users would call them, for comparison."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

TEMPERATURE, TOP_P = 0.9, 0.95

#: Returns seconds for prompts (sequences, T) and so many new ids after each.
Generate = Callable[[np.ndarray, int], float]


def transformers_generate(folder: Path, allowed: np.ndarray, threads: int) -> Generate:
    """Return ``transformers.generate`` in float32, sampling under a mask of ids."""
    import torch
    from transformers import LlamaForCausalLM, LogitsProcessor, LogitsProcessorList

    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    closed = torch.from_numpy(~allowed)

    class Mask(LogitsProcessor):
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            return scores.masked_fill(closed, -torch.inf)

    def generate(prompts: np.ndarray, count: int) -> float:
        torch.set_num_threads(threads)
        ids = torch.from_numpy(prompts)
        begin = time.perf_counter()
        model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            top_k=0,
            min_new_tokens=count,
            max_new_tokens=count,
            pad_token_id=0,
            logits_processor=LogitsProcessorList([Mask()]),
        )
        return time.perf_counter() - begin

    return generate


def ctranslate2_generate(folder: Path, threads: int) -> Generate:
    """Return CTranslate2 with int8 weights; it samples without a mask."""
    import ctranslate2
    import torch
    from ctranslate2.converters.transformers import LlamaLoader
    from transformers import LlamaForCausalLM

    target = folder / "ctranslate2"
    if not target.exists():
        model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)
        spec = LlamaLoader().get_model_spec(model)
        spec.register_vocabulary([f"<{i}>" for i in range(model.config.vocab_size)])
        spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<1>", "<3>", "<0>"
        spec.config.layer_norm_epsilon = model.config.rms_norm_eps
        spec.validate()
        spec.optimize(quantization="int8")
        target.mkdir()
        spec.save(str(target))
    generator = ctranslate2.Generator(
        str(target), compute_type="int8", inter_threads=1, intra_threads=threads
    )

    def generate(prompts: np.ndarray, count: int) -> float:
        tokens = [[f"<{i}>" for i in row] for row in prompts]
        begin = time.perf_counter()
        generator.generate_batch(
            tokens,
            min_length=count,
            max_length=count,
            sampling_temperature=TEMPERATURE,
            sampling_topk=0,
            sampling_topp=TOP_P,
            include_prompt_in_result=False,
            end_token=[],
        )
        return time.perf_counter() - begin

    return generate
