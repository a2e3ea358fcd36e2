from synthesis.metrics.presets import compare, compare_with_reasons

__all__ = ["compare", "compare_with_reasons"]
