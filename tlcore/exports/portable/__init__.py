"""A trained model as a file that runs without this program: ONNX, TFLite in two sizes, a web page."""

from .exporters import Lite, Onnx, WebPage

__all__ = ["Lite", "Onnx", "WebPage"]
