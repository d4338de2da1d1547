"""The tools of Harbour Goods, the demo's small company (SIGNOFF_TOOLS=bot.demo.company).

They act on real local things in the directory SIGNOFF_COMPANY (default ./company): the books in company.db, mails in
outbox/ and drafts/, posts in posts/; every effect is a line in effects.jsonl. Which of them need people is the policy's
affair. Amounts are in euros with two decimals at most.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from bot.agent.tools import ToolFailed, tool
from bot.demo.books import Books, open_books
from bot.demo.mail import write_mail

OrderId = Annotated[str, Field(title="Order", pattern=r"^HG-[0-9]{4}$", examples=["HG-1042"])]
CustomerId = Annotated[str, Field(title="Customer", pattern=r"^C-[0-9]{3}$", examples=["C-201"])]
Amount = Annotated[float, Field(title="Amount", gt=0, le=100_000)]
Address = Annotated[
    str, Field(pattern=r"^[^@\s,<>]+@[^@\s,<>]+\.[^@\s,<>]+$", max_length=254, json_schema_extra={"format": "email"})
]
Line = Field(pattern=r"^[^\r\n]+$", min_length=1, max_length=150)  # a line break in a subject would forge a header
Text = Field(min_length=1, max_length=2_500)


@tool
def search_orders(
    customer: Annotated[str, Field(title="Customer", min_length=1, max_length=100)],
) -> list[dict[str, Any]]:
    """Find the orders of a customer, newest first.

    Args:
        customer: A customer's name or a part of it, e-mail address or number (C-201).
    """
    with open_books() as books:
        return books.rows(
            "SELECT o.id AS order_id, o.item, o.ordered_on, o.status, c.id AS customer_id, c.name AS customer"
            " FROM orders o JOIN customers c ON c.id = o.customer_id"
            " WHERE instr(lower(c.name), lower(?1)) OR lower(c.email) = lower(?1) OR c.id = ?1"
            " ORDER BY o.ordered_on DESC, o.id DESC",
            customer,
        )


@tool
def read_order(order_id: OrderId) -> dict[str, Any]:
    """Read one order: item, total in EUR, status, notes, customer, and what was refunded so far.

    Args:
        order_id: The order's number, such as HG-1042.
    """
    with open_books() as books:
        order = _order(books, order_id)
        return {
            "order_id": order["id"],
            "item": order["item"],
            "total": order["total_cents"] / 100,
            "refunded": _refunded(books, order_id) / 100,
            "ordered_on": order["ordered_on"],
            "status": order["status"],
            "note": order["note"],
            "customer": _customer(books, order["customer_id"]),
        }


@tool
def read_customer(customer_id: CustomerId) -> dict[str, Any]:
    """Read one customer: name, e-mail address, city, customer since when, notes.

    Args:
        customer_id: The customer's number, such as C-201.
    """
    with open_books() as books:
        return _customer(books, customer_id)


@tool
def draft_email(
    to: Annotated[Address, Field(title="To")],
    subject: Annotated[str, Line, Field(title="Subject")],
    body: Annotated[str, Text, Field(title="Message")],
) -> dict[str, Any]:
    """Write an e-mail into the drafts folder. Nobody receives it.

    Args:
        to: The address the mail is meant for.
        subject: One line.
        body: The text of the mail.
    """
    with open_books() as books:
        number = books.effect("draft_email", {"to": to, "subject": subject, "body": body})
        path = write_mail(books.root / "drafts", number, [to], subject, body)
        return {"draft": path.name, "to": to, "subject": subject}


@tool
def send_email(
    to: Annotated[list[Address], Field(title="To", min_length=1, max_length=20)],
    subject: Annotated[str, Line, Field(title="Subject")],
    body: Annotated[str, Text, Field(title="Message")],
) -> dict[str, Any]:
    """Send an e-mail from shop@harbour.example.com. It cannot be called back.

    Args:
        to: The addresses that receive it, 20 at most.
        subject: One line.
        body: The text of the mail.
    """
    with open_books() as books:
        number = books.effect("send_email", {"to": to, "subject": subject, "body": body})
        path = write_mail(books.root / "outbox", number, to, subject, body)
        return {"sent": path.name, "to": ", ".join(to), "subject": subject}


@tool
def publish_post(
    title: Annotated[str, Line, Field(title="Title")],
    body: Annotated[str, Text, Field(title="Post")],
) -> dict[str, Any]:
    """Publish a post on the company's news page. It can be taken down again.

    Args:
        title: The headline, one line.
        body: The text of the post.
    """
    with open_books() as books:
        number = books.write("INSERT INTO posts (title, body) VALUES (?, ?)", title, body)
        books.effect("publish_post", {"title": title, "body": body})
        slug = "-".join(re.findall(r"[a-z0-9]+", title.lower()))[:40] or "post"
        path = books.root / "posts" / f"{number:04}-{slug}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# {title}\n\n{body}\n", encoding="utf-8")
        return {"published": path.name, "title": title}


@tool
def issue_refund(
    order_id: OrderId,
    amount: Annotated[Amount, Field(title="Amount in EUR")],
    reason: Annotated[str, Field(title="Reason", min_length=1, max_length=500)],
) -> dict[str, Any]:
    """Pay money back for an order, at most what is left of its total. The money leaves at once.

    Args:
        order_id: The order's number, such as HG-1042.
        amount: How much to pay back, in EUR, with two decimals at most.
        reason: Why; the customer sees it on the statement.
    """
    with open_books() as books:
        order, cents = _order(books, order_id), _cents(amount)
        left = order["total_cents"] - _refunded(books, order_id)
        if cents > left:
            raise ToolFailed(f"{order_id} has {_euros(left)} left to refund; {_euros(cents)} is more than that.")
        books.write("INSERT INTO refunds (order_id, cents, reason) VALUES (?, ?, ?)", order_id, cents, reason)
        books.effect("issue_refund", {"order_id": order_id, "amount": amount, "reason": reason})
        return {"order_id": order_id, "refunded": _euros(cents), "left": _euros(left - cents)}


@tool
def execute_payment(
    payee: Annotated[str, Field(title="Payee", pattern=r"^[^\r\n]+$", min_length=1, max_length=100)],
    amount: Amount,
    currency: Annotated[Literal["EUR", "USD", "GBP"], Field(title="Currency")],
    due: Annotated[date, Field(title="Due")],
    memo: Annotated[str, Line, Field(title="Memo")],
) -> dict[str, Any]:
    """Pay a supplier from the company's account. It cannot be called back.

    Args:
        payee: Whom to pay, as the bank knows them.
        amount: How much, with two decimals at most.
        currency: The currency of the amount.
        due: The day the money is to arrive.
        memo: What the payee reads on the statement, such as the invoice's number.
    """
    ran = {"payee": payee, "amount": amount, "currency": currency, "due": due.isoformat(), "memo": memo}
    with open_books() as books:
        number = books.write(
            "INSERT INTO payments (payee, cents, currency, due, memo) VALUES (?, ?, ?, ?, ?)",
            *(payee, _cents(amount), currency, due.isoformat(), memo),
        )
        books.effect("execute_payment", ran)
        return {"payment": number, "paid": f"{_cents(amount) / 100:,.2f} {currency}", "payee": payee}


@tool
def delete_customer(
    customer_id: CustomerId,
    reason: Annotated[str, Field(title="Reason", min_length=1, max_length=500)],
    delete_orders: Annotated[bool, Field(title="Delete the orders too")] = False,
) -> dict[str, Any]:
    """Delete a customer for good. There is no undo.

    Args:
        customer_id: The customer's number, such as C-201.
        reason: Why the record has to go.
        delete_orders: Also delete the customer's orders.
    """
    ran = {"customer_id": customer_id, "reason": reason, "delete_orders": delete_orders}
    with open_books() as books:
        customer = _customer(books, customer_id)
        books.write("DELETE FROM customers WHERE id = ?", customer_id)
        if delete_orders:
            books.write("DELETE FROM orders WHERE customer_id = ?", customer_id)
        books.effect("delete_customer", ran)
        return {"deleted": customer_id, "name": customer["name"], "orders_deleted": delete_orders}


def _order(books: Books, order_id: str) -> dict[str, Any]:
    for order in books.rows("SELECT * FROM orders WHERE id = ?", order_id):
        return order
    raise ToolFailed(f"There is no order {order_id}; search_orders finds orders by customer.")


def _customer(books: Books, customer_id: str) -> dict[str, Any]:
    for row in books.rows("SELECT id AS customer_id, * FROM customers WHERE id = ?", customer_id):
        return {key: value for key, value in row.items() if key != "id"}
    raise ToolFailed(f"There is no customer {customer_id}; search_orders shows the customers' numbers.")


def _refunded(books: Books, order_id: str) -> int:
    rows = books.rows("SELECT coalesce(sum(cents), 0) AS cents FROM refunds WHERE order_id = ?", order_id)
    return int(rows[0]["cents"])


def _cents(amount: float) -> int:
    cents = round(amount * 100)
    if cents / 100 != amount:
        raise ToolFailed(f"{amount} has more than two decimals: round it.")
    return cents


def _euros(cents: int) -> str:
    return f"{cents / 100:,.2f} EUR"
