"""The OpenAPI document: valid, and of exactly what the door has."""

from openapi_spec_validator import OpenAPIV31SpecValidator

from bridge.interface.openapi import openapi_document

DOCUMENT = openapi_document("1.2.3", ["r0", "r1"])


def test_it_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()
