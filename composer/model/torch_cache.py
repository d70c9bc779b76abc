"""The keys and values of many sequences in one tensor."""

from __future__ import annotations

import torch

from composer.errors import RequestError
from composer.model.weights import LlamaShape

SPAN = 64  # positions are read in multiples of this


class SharedCache:
    """One tensor, of which each sequence has a slot; slots double where there are too few.

    Parameters
    ----------
    shape
        The model's.
    context_length
        Positions of a slot; as many more are kept as make whole spans.
    device, dtype
        Of the tensor.

    Attributes
    ----------
    tensor
        (2, layers, slots + 1, kv_heads, context, head_dim), keys and values. Nothing that lies in
        the last slot is ever heard; it is there for padding to be written to.
    free
        Slots that nobody has. To append to it is all that it takes to give one back, which may
        happen in any thread, at any time.
    """

    def __init__(
        self, shape: LlamaShape, context_length: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._shape, self._device, self._dtype = shape, device, dtype
        self.context = -(-context_length // SPAN) * SPAN
        self.tensor = self._zeros(1)
        self.free = [0]

    @property
    def slots(self) -> int:
        """How many sequences there is room for; a power of two."""
        return int(self.tensor.shape[2]) - 1

    @property
    def slot_bytes(self) -> int:
        """Bytes of one slot."""
        return int(self.tensor.nbytes) // (self.slots + 1)

    def take(self) -> int:
        """Return a slot, the lowest that is free: those in use lie close together.

        Raises
        ------
        RequestError
            The device has no memory for more.
        """
        if not self.free:
            count = self.slots
            larger = self._zeros(2 * count)
            larger[:, :, :count] = self.tensor[:, :, :count]
            self.tensor = larger
            self.free += range(count, 2 * count)
        slot = min(self.free)
        self.free.remove(slot)
        return slot

    def copy(self, source: int, target: int, length: int) -> None:
        """Copy the first positions of a slot to another."""
        self.tensor[:, :, target, :, :length] = self.tensor[:, :, source, :, :length]

    def _zeros(self, slots: int) -> torch.Tensor:
        """Return a tensor of zeros: what is masked must still be finite."""
        shape = self._shape
        size = (2, shape.layers, slots + 1, shape.kv_heads, self.context, shape.head_dim)
        try:
            return torch.zeros(size, dtype=self._dtype, device=self._device)
        except RuntimeError as error:  # what torch raises without memory, on every device
            needed = torch.Size(size).numel() * self._dtype.itemsize / 1e9
            raise RequestError(
                f"a cache for {slots} sequences of {self.context} positions takes {needed:.1f} GB, "
                f"which {self._device} does not have; take fewer forks or a lower context_length"
            ) from error
