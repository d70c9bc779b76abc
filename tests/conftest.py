"""A model of random weights, so that what holds for it holds whatever the weights say."""

import copy
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from composer.api import Composer
from composer.generate.batch import write_cells
from composer.model.cpu import CPUDecoder
from composer.model.weights import LlamaShape
from composer.tokenizers.cells.cells import Cells


def random_model(vocab_size, context_length, seed=7):
    """Return the shape and the weights of a small Llama, its logits far from level."""
    shape = LlamaShape(
        vocab_size=vocab_size,
        hidden_size=32,
        intermediate_size=48,
        layers=2,
        heads=4,
        kv_heads=2,
        head_dim=8,
        rms_norm_eps=1e-6,
        rope_theta=10000.0,
        max_position_embeddings=context_length,
        tie_word_embeddings=False,
    )
    rng = np.random.default_rng(seed)
    weights = {
        name: rng.normal(0, 0.4, size).astype(np.float32) for name, size in shape.tensor_shapes()
    }
    return shape, weights


class SpyGrammar:
    """A grammar that remembers every sequence that was said."""

    def __init__(self, grammar):
        self.grammar = grammar
        self.said = []

    def __getattr__(self, name):
        return getattr(self.grammar, name)

    def start(self):
        self.said.append([])
        return self.grammar.start()

    def advance(self, cursor, index):
        self.grammar.advance(cursor, index)
        self.said[-1].append(index)


class Spy:
    """Writes requests and remembers what was said."""

    def __init__(self, decoder, tokenizer):
        self.decoder = decoder
        self.tokenizer = copy.copy(tokenizer)
        self.tokenizer.grammar = SpyGrammar(tokenizer.grammar)

    @property
    def sequences(self):
        return [said for said in self.tokenizer.grammar.said if said]

    def write(self, request, **options):
        return write_cells(request, self.decoder, self.tokenizer, **options)


@pytest.fixture(scope="session")
def cells():
    return Cells()


@pytest.fixture(scope="session")
def decoders(cells):
    """Random-weight decoders by context length."""
    return {n: CPUDecoder(*random_model(cells.vocab_size, n)) for n in (512, 1024)}


@pytest.fixture(scope="session")
def spy_on(decoders, cells):
    """A function from a context length to a spy."""
    return lambda context_length: Spy(decoders[context_length], cells)


@pytest.fixture(scope="session")
def short_decoder(cells):
    """A function as ``spy_on`` for any context length."""
    model = random_model(cells.vocab_size, 512)
    return lambda length: Spy(CPUDecoder(*model, context_length=length), cells)


@pytest.fixture(scope="session")
def random_composer(decoders, cells):
    """The verbs on random weights."""
    return Composer(decoders[1024], cells)


@pytest.fixture(scope="session")
def model_folder(cells, tmp_path_factory):
    """A folder such as ``composer train`` writes, of random weights."""
    folder = tmp_path_factory.mktemp("model")
    shape, weights = random_model(cells.vocab_size, 512)
    config = {
        "model_type": "llama",
        "vocab_size": shape.vocab_size,
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "head_dim": shape.head_dim,
        "rms_norm_eps": shape.rms_norm_eps,
        "rope_theta": shape.rope_theta,
        "max_position_embeddings": shape.max_position_embeddings,
        "tie_word_embeddings": False,
    }
    (folder / "config.json").write_text(json.dumps(config))
    save_file(weights, folder / "model.safetensors")
    cells.save(folder)
    return folder
