"""A folder of files as memory-mapped shards of ids."""
