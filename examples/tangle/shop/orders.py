"""What is bought."""

from __future__ import annotations

from shop.customers import Customer
from shop.prices import price_of


class Order:
    def __init__(self, customer: Customer, items: dict[str, int]):
        self.customer = customer
        self.items = items

    def total(self) -> int:
        return sum(price_of(item, self.customer) * count for item, count in self.items.items())
