"""What it costs."""

from shop.customers import Customer

PRICES = {"tea": 3, "cake": 5}


def price_of(item: str, customer: Customer) -> int:
    """Regulars pay one less."""
    return PRICES[item] - (len(customer.orders) > 10)
