"""Score to token sequence and back.

The modules of this package live in the top-level ``tokenizers/`` folder. That folder has no
``__init__.py`` on purpose: with one, running Python from the repository root would hide
Hugging Face's ``tokenizers``.
"""

from pathlib import Path

_checkout = Path(__file__).parents[2] / "tokenizers"
if (_checkout.parent / "setup.cfg").is_file():  # source checkout, not an installed wheel
    __path__.append(str(_checkout))

from composer.tokenizers.base import Tokenizer, load
from composer.tokenizers.bpe.bpe import BPE, Compression
from composer.tokenizers.cells.cells import Cells, CellsConfig
from composer.tokenizers.corpus.build import tokenize_corpus
from composer.tokenizers.corpus.token_corpus import TokenCorpus
from composer.tokenizers.grammar import Grammar, Violation
from composer.tokenizers.loss import LossReport
from composer.tokenizers.remi.config import RemiConfig
from composer.tokenizers.remi.remi import REMI, REMIPlus
from composer.tokenizers.vocabulary import Family, Vocabulary

__all__ = [
    "BPE",
    "REMI",
    "Cells",
    "CellsConfig",
    "Compression",
    "Family",
    "Grammar",
    "LossReport",
    "REMIPlus",
    "RemiConfig",
    "TokenCorpus",
    "Tokenizer",
    "Violation",
    "Vocabulary",
    "load",
    "tokenize_corpus",
]
