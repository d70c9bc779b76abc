"""The model card: what a model was trained on, and how well it predicts what it has not seen."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from composer._files import write_whole
from composer.errors import TrainingError
from composer.training.corpus import Corpus

if TYPE_CHECKING:
    from composer.training.trainer import TrainingConfig, TrainingResult


def write_card(out: Path, corpus: Corpus, config: TrainingConfig, result: TrainingResult) -> None:
    """Write ``README.md`` beside a model."""
    groups = Counter(piece.group for piece in corpus.pieces)
    held_out = Counter(piece.group for piece in corpus.pieces if piece.held_out)
    rows = "\n".join(
        f"| {group or '(top)'} | {count} | {held_out[group]} |"
        for group, count in sorted(groups.items())
    )
    tokens = config.steps * config.batch_size * config.context_length
    write_whole(
        out / "README.md",
        f"""# Model card

A Llama-style decoder over the `cells` tokens of composer-midi: {config.layers} layers of width \
{config.hidden_size}, {config.heads} heads ({config.kv_heads} for keys and values), context of \
{config.context_length} ids. It writes cells (bars of parts) given others; pitches are relative to \
the home key.

## Trained on
| folder | files | of them held out |
| --- | --- | --- |
{rows}

{len(corpus.refused) + len(corpus.quarantined)} files were left out (unreadable, or fewer than 8 \
notes). {len(corpus.duplicates)} groups of files are the same music, transposed or nearly; each \
group is held out or trained on as a whole. Chords were inferred from the notes where a file says \
none, keys always.

{config.steps} steps of {config.batch_size} rows, {tokens / 1e6:.1f} million ids in all; folders \
drawn in proportion to their bars to the power of {config.balance}.

## Held-out loss
| model | nats a token |
| --- | --- |
| this one | {result.held_out_loss:.3f} |
| bigram | {result.bigram_loss:.3f} |
| unigram | {result.unigram_loss:.3f} |

On {config.held_out_rows} rows of {config.context_length} ids drawn from the held-out files.
""".encode(),
        TrainingError,
    )
