from synthesis.networks.registry import build

__all__ = ["build"]
