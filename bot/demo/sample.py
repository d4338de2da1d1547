"""What Harbour Goods' books hold on the first day: a lamp shop by the sea, its customers and their orders."""

from __future__ import annotations

# id, name, email, city, customer since, note
CUSTOMERS = (
    ("C-201", "Mara Holm", "mara.holm@example.com", "Bergen", "2023-04-11", "Prefers mail to phone."),
    ("C-202", "Jonas Petri", "jonas.petri@example.com", "Turku", "2024-01-30", "Restaurant owner, orders in spring."),
    ("C-203", "Ines Duarte", "ines.duarte@example.com", "Porto", "2022-09-02", "Complained twice about late parcels."),
    ("C-204", "Teo Brandt", "teo.brandt@example.com", "Kiel", "2025-02-18", "Fits out boats; wants invoices by mail."),
    ("C-205", "Wren Ashdown", "wren.ashdown@example.com", "Whitby", "2021-06-25", "Newsletter reader since the start."),
    ("C-206", "Old test account", "test@example.com", "Nowhere", "2019-01-01", "Marked for clean-up by the web team."),
)

# id, customer, item, total in cents, ordered on, status, note
ORDERS = (
    ("HG-1042", "C-201", "Brass harbour lamp", 14000, "2026-10-28", "delivered", "Arrived with a cracked glass shade."),
    ("HG-1043", "C-202", "Deck lantern, set of six", 41400, "2026-10-30", "delivered", ""),
    ("HG-1044", "C-203", "Linen tea towels, blue", 3850, "2026-11-02", "in transit", "Promised for 9 November; late."),
    ("HG-1045", "C-204", "Cabin reading light", 8900, "2026-11-04", "delivered", ""),
    ("HG-1046", "C-201", "Spare wicks, ten", 1250, "2026-11-06", "delivered", ""),
    ("HG-1047", "C-205", "Storm kettle", 6400, "2026-11-09", "packed", "Gift wrap, no price on the slip."),
    ("HG-0007", "C-206", "Test item", 100, "2019-01-01", "cancelled", "Made by the web team."),
)
