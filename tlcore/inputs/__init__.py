"""From what a person gives to what a model reads."""

from .images import Images
from .modality import MODALITIES, WAYS, Modality, check_item, modality, register

register(Images())

__all__ = ["MODALITIES", "Images", "Modality", "WAYS", "check_item", "modality", "register"]
