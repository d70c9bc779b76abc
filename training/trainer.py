"""Train a Llama-style model on a folder of MIDI files with the transformers Trainer."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from composer._files import write_whole
from composer.errors import ModelError, TrainingError
from composer.tokenizers.cells.cells import Cells, CellsConfig
from composer.tokenizers.corpus.build import midi_files
from composer.training.card import write_card
from composer.training.corpus import Corpus, prepare
from composer.training.examples import Examples
from composer.training.ngrams import ngram_loss

NGRAM_ROWS = 4000
HELD_OUT_SEED = 1


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
    """Size of the model and length of the training.

    Parameters
    ----------
    hidden_size, layers, heads, kv_heads
        Shape of the model; 3.5 million parameters as it stands.
    context_length
        Ids the model sees at once.
    steps
        Optimiser steps.
    batch_size
        Rows of ``context_length`` ids a step.
    learning_rate
        Highest learning rate; it rises over the first 5% of the steps and falls along a cosine.
    balance
        See ``Examples``.
    evaluate_every
        Steps between two evaluations, each with a checkpoint.
    held_out_rows
        Rows of held-out examples.
    threads
        Threads of torch on a CPU; 0 leaves it to torch.
    seed
        Seed of everything that is drawn.
    styles
        Folder right below the files' -> the style that its files are in; each folder is a style
        of its own name without it. What is named "" is in none.
    """

    hidden_size: int = 256
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    context_length: int = 1024
    steps: int = 2000
    batch_size: int = 4
    learning_rate: float = 1.5e-3
    balance: float = 0.25
    evaluate_every: int = 100
    held_out_rows: int = 64
    threads: int = 0
    seed: int = 0
    styles: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for field in ("layers", "steps", "batch_size", "evaluate_every", "held_out_rows"):
            if getattr(self, field) < 1:
                raise TrainingError(f"{field} {getattr(self, field)} must be at least 1")
        if self.hidden_size % (2 * self.heads) or self.heads % self.kv_heads:
            raise TrainingError(
                f"hidden_size {self.hidden_size} must divide by twice the {self.heads} heads, and "
                f"heads by the {self.kv_heads} kv_heads"
            )
        if self.context_length < 64:
            raise TrainingError(f"context_length {self.context_length} must be at least 64")

    @property
    def intermediate_size(self) -> int:
        """Width of the SwiGLU layers: 8/3 of the hidden size, in steps of 64."""
        return -(-self.hidden_size * 8 // 3 // 64) * 64


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What a training came to; losses are nats a held-out token."""

    folder: Path
    held_out_loss: float
    unigram_loss: float
    bigram_loss: float

    def __str__(self) -> str:
        return (
            f"held-out loss {self.held_out_loss:.3f} nats a token (bigram {self.bigram_loss:.3f}, "
            f"unigram {self.unigram_loss:.3f}); model in {self.folder}"
        )


def train(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    config: TrainingConfig | None = None,
    *,
    start: str | os.PathLike[str] | None = None,
    workers: int = 1,
) -> TrainingResult:
    """Train a model on a folder of MIDI files, or go on where a training was interrupted.

    Parameters
    ----------
    folder
        MIDI files, in sub-folders or not; each sub-folder right below counts as one group for
        ``config.balance``.
    out
        Folder for the model: what ``composer.load`` and transformers open. The corpus and the
        checkpoints go there too; run again with the same arguments, the training goes on from the
        last checkpoint.
    config
        Size and length of the training.
    start
        Folder of a model to begin with, whose size goes before ``config``'s; new weights without
        it. Styles that it does not know are learned.
    workers
        Processes that prepare the files.

    Raises
    ------
    TrainingError
        The folder holds nothing to train on, or ``out`` holds another training.
    ModelError
        ``start`` is not a folder of a model and its tokenizer.
    """
    config = config or TrainingConfig()
    folder, out = Path(folder), Path(out)
    start = None if start is None else Path(start)
    # A folder without any file is refused before another one is made.
    tokenizer = _tokenizer(midi_files(folder), config, start)
    _claim(out, folder, config, start)
    corpus = prepare(folder, out / "corpus", tokenizer, workers)
    _check_split(corpus)
    train_rows = _rows(corpus, config, held_out=False)
    held_out_rows = _rows(corpus, config, held_out=True)
    model, loss = _fit(config, tokenizer, train_rows, held_out_rows, out, start)
    few = min(NGRAM_ROWS, len(train_rows))
    ngrams = ngram_loss(
        np.stack([train_rows.row(i) for i in range(few)]),
        np.stack([held_out_rows.row(i) for i in range(len(held_out_rows))]),
        held_out_rows.is_learned,
    )
    result = TrainingResult(out, loss, ngrams.unigram, ngrams.bigram)
    _save(model, tokenizer, out)
    write_card(out, corpus, config, result)
    return result


def _rows(corpus: Corpus, config: TrainingConfig, *, held_out: bool) -> Examples:
    return Examples(
        corpus,
        held_out=held_out,
        context_length=config.context_length,
        rows=config.held_out_rows if held_out else config.steps * config.batch_size,
        seed=HELD_OUT_SEED if held_out else config.seed + 1000,
        balance=config.balance,
        styles=config.styles,
    )


def _tokenizer(files: Sequence[str], config: TrainingConfig, start: Path | None) -> Cells:
    """Return the tokenizer: with the styles of the model that is begun with, and those of files."""
    first = Cells.load(start).config if start else CellsConfig()
    folders = sorted({name.partition("/")[0] for name in files if "/" in name})
    styles = (config.styles.get(folder, folder) for folder in folders)
    known = filter(None, dict.fromkeys([*first.styles, *styles]))
    return Cells(dataclasses.replace(first, styles=tuple(known)))


def _claim(out: Path, folder: Path, config: TrainingConfig, start: Path | None) -> None:
    """Make the folder of a training, or see that it is this training's."""
    settings = {"folder": str(folder.resolve()), **dataclasses.asdict(config)}
    settings["start"] = str(start.resolve()) if start else None
    del settings["threads"]
    record = out / "training.json"
    if record.is_file():
        others = json.loads(record.read_text())
        changed = [name for name in settings if others.get(name) != settings[name]]
        if changed:
            name = changed[0]
            raise TrainingError(
                f"{out} holds a training with {name} {others.get(name)!r}, not {settings[name]!r}; "
                f"name another folder, or delete that one"
            )
        return
    out.mkdir(parents=True, exist_ok=True)
    write_whole(record, json.dumps(settings, indent=1).encode(), TrainingError)


def _check_split(corpus: Corpus) -> None:
    if not all(map(len, corpus.split())):
        raise TrainingError(
            f"{len(corpus)} usable files, copies counted together, are too few to hold one out; "
            "40 or more of different music are enough"
        )


def _fit(
    config: TrainingConfig,
    tokenizer: Cells,
    train_rows: Examples,
    held_out_rows: Examples,
    out: Path,
    start: Path | None,
) -> tuple[Any, float]:
    """Return the trained model and its held-out loss."""
    import torch
    from transformers import Trainer, TrainingArguments, set_seed

    set_seed(config.seed)
    on_gpu = torch.cuda.is_available()
    if config.threads and not on_gpu:
        torch.set_num_threads(config.threads)
    model = _grown(start, tokenizer) if start else _new(config, tokenizer.vocab_size)
    checkpoints = out / "checkpoints"
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        max_steps=config.steps,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=max(1, config.steps // 20),
        weight_decay=0.1,
        adam_beta2=0.95,
        bf16=True,
        eval_strategy="steps",
        eval_steps=config.evaluate_every,
        save_steps=config.evaluate_every,
        save_total_limit=2,
        logging_steps=min(50, config.evaluate_every),
        prediction_loss_only=True,
        report_to="none",
        seed=config.seed,
        use_cpu=not on_gpu,
        dataloader_pin_memory=on_gpu,
    )
    trainer = Trainer(
        model=model, args=arguments, train_dataset=train_rows, eval_dataset=held_out_rows
    )
    trainer.train(resume_from_checkpoint=last_checkpoint(checkpoints))
    return model, float(trainer.evaluate()["eval_loss"])


def _new(config: TrainingConfig, vocab_size: int) -> Any:
    """Return a model of new weights."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            num_hidden_layers=config.layers,
            num_attention_heads=config.heads,
            num_key_value_heads=config.kv_heads,
            max_position_embeddings=config.context_length,
            tie_word_embeddings=True,
            pad_token_id=0,
            bos_token_id=1,
            eos_token_id=3,
        )
    )


def _grown(start: Path, tokenizer: Cells) -> Any:
    """Return the model of a folder, with rows for the ids that it does not know.

    They are drawn like the known, so that the model can tell them apart from the start.
    """
    import torch
    from transformers import LlamaForCausalLM

    known = Cells.load(start).vocab_size
    model = LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)
    if model.config.vocab_size != known:
        raise ModelError(
            f"the model in {start} has {model.config.vocab_size} ids and its tokenizer {known}; "
            "take both from one training"
        )
    rows = model.get_input_embeddings().weight.detach()
    mean, spread = rows.mean(0), rows.std(0)
    model.resize_token_embeddings(tokenizer.vocab_size, mean_resizing=False)
    new = model.get_input_embeddings().weight.data[known:]
    new[:] = mean + spread * torch.randn(new.shape)
    return model


def last_checkpoint(folder: Path) -> str | None:
    """Return the newest complete checkpoint; one that a kill left half written is passed over."""
    found = sorted(folder.glob("checkpoint-*"), key=lambda p: int(p.name.split("-")[1]))
    for checkpoint in reversed(found):
        # The Trainer writes its state last, so a checkpoint that has it is whole.
        try:
            json.loads((checkpoint / "trainer_state.json").read_text())
            return str(checkpoint)
        except (OSError, ValueError):
            continue
    return None


def _save(model: Any, tokenizer: Cells, out: Path) -> None:
    """Write the model folder; the weights as float16, half the size and as good to sample from."""
    temporary = out / f"model.{os.getpid()}.part"
    model.half().save_pretrained(temporary)
    tokenizer.save(temporary)
    for path in temporary.iterdir():
        path.replace(out / path.name)
    temporary.rmdir()
