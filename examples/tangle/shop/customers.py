"""Who buys."""

from dataclasses import dataclass, field

from shop.orders import Order
from shop.report import summarise


@dataclass
class Customer:
    name: str
    orders: list[Order] = field(default_factory=list)

    def summary(self) -> str:
        return summarise(self)
