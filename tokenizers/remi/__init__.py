"""REMI (Huang & Yang 2020) and REMI+ (von Rütte et al. 2022)."""
