"""Whether and how what is asked for can still be met, worked out ahead of sampling."""
