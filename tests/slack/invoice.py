"""An invoice as a tool wants it: an object in an object, a list, two ways to pay, a secret, a long text."""

from __future__ import annotations

from typing import Any

SECRET = "hunter2-hunter2"
ADDRESS = {
    "type": "object",
    "required": ["street", "city"],
    "properties": {"street": {"type": "string"}, "city": {"type": "string"}, "country": {"enum": ["DE", "NL", "GB"]}},
}
LINE = {
    "type": "object",
    "required": ["description", "quantity", "unit_price"],
    "properties": {
        "description": {"type": "string"},
        "quantity": {"type": "integer", "minimum": 1, "default": 1},
        "unit_price": {"type": "number", "minimum": 0, "description": "In the invoice's currency, without tax."},
    },
}
PAYMENTS = [
    {
        "title": "Bank transfer",
        "type": "object",
        "required": ["method", "iban"],
        "properties": {"method": {"const": "bank"}, "iban": {"type": "string", "pattern": "^[A-Z]{2}[0-9]{2}"}},
    },
    {
        "title": "Card on file",
        "type": "object",
        "required": ["method", "last_digits"],
        "properties": {"method": {"const": "card"}, "last_digits": {"type": "string", "maxLength": 4}},
    },
]
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["customer", "line_items", "payment"],
    "properties": {
        "customer": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                "email": {"type": "string", "format": "email"},
                "address": {"$ref": "#/$defs/Address"},
            },
        },
        "line_items": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Line"}},
        "payment": {"oneOf": PAYMENTS, "description": "How it will be paid."},
        "due": {"type": "string", "format": "date"},
        "send_at": {"type": "string", "format": "date-time"},
        "portal_password": {"type": "string"},
        "terms": {"type": "string", "description": "Printed below the total."},
    },
    "$defs": {"Address": ADDRESS, "Line": LINE},
}
TERMS = "Payment within 14 days. " * 150 + "\n\n" + "Goods stay ours until they are paid. " * 60
INVOICE: dict[str, Any] = {
    "customer": {
        "name": "Tran & Sons",
        "email": "desk@tran.example",
        "address": {"street": "Kade 7", "city": "Rotterdam", "country": "NL"},
    },
    "line_items": [
        {"description": "Harbour crane, half a day", "quantity": 1, "unit_price": 640.0},
        {"description": "Pallets", "quantity": 24, "unit_price": 9.5},
    ],
    "payment": {"method": "bank", "iban": "NL91ABNA0417164300"},
    "due": "2026-12-14",
    "send_at": "2026-12-01T08:30:00+01:00",
    "portal_password": SECRET,
    "terms": TERMS,
}
