"""From what a person gives to what a model reads."""

from .images import PICTURE, Images
from .modality import MODALITIES, WAYS, Modality, check_item, modality, register
from .photos import Photos

for _modality in (Images(), Photos()):
    register(_modality)

__all__ = ["MODALITIES", "PICTURE", "Images", "Modality", "Photos", "WAYS", "check_item", "modality", "register"]
