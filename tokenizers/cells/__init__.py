"""The format of the grid: bar by bar and part by part."""
