"""From a request to notes: sampling, masks and decoders."""
