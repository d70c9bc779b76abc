"""From a folder of MIDI files to a model.

The modules of this package live in the top-level ``training/`` folder. That folder has no
``__init__.py`` on purpose: with one, running Python from the repository root would hide
Hugging Face's ``tokenizers``.
"""

from pathlib import Path

_checkout = Path(__file__).parents[2] / "training"
if (_checkout.parent / "setup.cfg").is_file():  # source checkout, not an installed wheel
    __path__.append(str(_checkout))

from composer.training.corpus import Corpus, prepare
from composer.training.examples import Examples
from composer.training.trainer import TrainingConfig, TrainingResult, train

__all__ = ["Corpus", "Examples", "TrainingConfig", "TrainingResult", "prepare", "train"]
