"""What describes ``/api/predict`` to programs: a document as OpenAPI 3.1 has it."""

from typing import Any

from tlcore.people.tokens import PREFIX
from tlcore.prediction import ModelName, programs

PATH = "/api/openapi.json"
RUN = "0123456789abcdef"  # in examples

REFUSALS = {
    "400": "What was sent cannot be read: not a picture, damaged, blank, or pixels of another shape.",
    "401": "There is no token, or it was revoked.",
    "403": "The model belongs to somebody else.",
    "404": "There is no model of this name.",
    "405": "Nothing was sent by POST.",
    "413": "More than 10 MB, or 4 MB of JSON.",
    "429": "Faster than is answered: five pictures a second, thirty at once. Retry-After says how long to wait.",
    "500": "The model cannot answer; its file may be damaged.",
    "503": "The model does not answer just now; Retry-After says how long to wait.",
}
WITH_WAIT = ("429", "503")

ANSWER = {
    "type": "object",
    "required": ["model", "label", "probability", "probabilities", "outside"],
    "properties": {
        "model": {
            "type": "string",
            "description": "The model that was asked.",
            "examples": [str(ModelName.source("digits"))],
        },
        "label": {"type": "string", "description": "The class with the highest probability."},
        "probability": {"type": "number", "minimum": 0, "maximum": 1, "description": "Of that class."},
        "probabilities": {
            "type": "object",
            "description": "Of every class, in the model's order; they sum to 1.",
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
        },
        "outside": {
            "type": ["boolean", "null"],
            "description": "Whether the picture is like nothing that the model was trained on; null: not known.",
        },
    },
}
REFUSAL = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string", "description": "One sentence: what is wrong, and what to do."}},
}
PIXELS = {
    "type": "object",
    "required": ["pixels"],
    "properties": {
        "model": {"type": "string", "description": "Unless it stands in the address."},
        "pixels": {
            "type": "array",
            "items": {"type": "array"},
            "description": "An item as the model reads it, in nested lists of whole numbers from 0 to 255: 28 lists "
            "of 28 for digits (white ink on black), 96 lists of 96 lists of 3 for photographs.",
        },
    },
}
FORM = {
    "type": "object",
    "required": ["picture"],
    "properties": {
        "model": {"type": "string", "description": "Unless it stands in the address."},
        "picture": {"type": "string", "contentMediaType": "application/octet-stream"},
    },
}


def document(server: str) -> dict[str, Any]:
    """Return the document.

    Parameters
    ----------
    server : the path in front of the routes, such as ``"/lab/api"``
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Transfer Lab",
            "version": "1",
            "description": "Ask a model of the lab what it sees in a picture, from a program.",
        },
        "servers": [{"url": server}],
        "security": [{"token": []}],
        "paths": {"/predict": {"post": _predict()}},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"A token, {PREFIX}..., made on the page Try under Use from a program.",
                }
            },
            "schemas": {"Answer": ANSWER, "Refusal": REFUSAL, "Pixels": PIXELS, "Form": FORM},
        },
    }


def _predict() -> dict[str, Any]:
    picture: dict[str, Any] = {}  # bytes, of which OpenAPI 3.1 says nothing more
    return {
        "operationId": "predict",
        "summary": "Ask a model about one picture.",
        "description": "Each refusal is one sentence in JSON. Pages of other sites may ask too, without cookies.",
        "parameters": [
            {
                "name": "model",
                "in": "query",
                "description": "The model's name. It may stand in the form or the JSON instead.",
                "schema": {"type": "string"},
                "examples": {
                    "shipped": {"summary": "A network that ships", "value": str(ModelName.source("digits"))},
                    "run": {"summary": "The network of a run", "value": str(ModelName.run(RUN))},
                    "head": {
                        "summary": "A head of a run",
                        "value": str(ModelName.head(RUN, "linear_svm-features.skops")),
                    },
                    "taught": {"summary": "What you taught by camera", "value": programs.taught_name("photo")},
                },
            },
            {
                "name": "language",
                "in": "query",
                "description": "Of the sentence of a refusal.",
                "schema": {"type": "string", "examples": ["en", "zh-CN"]},
            },
        ],
        "requestBody": {
            "required": True,
            "description": "A JPEG, PNG, HEIC, AVIF, WebP, TIFF, BMP or GIF file of up to 10 MB, alone or as the file "
            "of a form; or pixels.",
            "content": {
                "application/octet-stream": picture,
                "image/*": picture,
                "multipart/form-data": {"schema": {"$ref": "#/components/schemas/Form"}},
                "application/json": {"schema": {"$ref": "#/components/schemas/Pixels"}},
            },
        },
        "responses": {
            "200": {
                "description": "What the model answers.",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}},
            },
            **{status: _refusal(status, words) for status, words in REFUSALS.items()},
        },
    }


def _refusal(status: str, words: str) -> dict[str, Any]:
    wait = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer", "minimum": 1}}}
    return {
        "description": words,
        **({"headers": wait} if status in WITH_WAIT else {}),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
    }
