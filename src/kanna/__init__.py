"""kanna: know, repair and make the model files of image generation."""

from __future__ import annotations

__version__ = "0.1.0"
__all__ = ["__version__"]
