"""What is told."""

import shop.orders


def summarise(customer) -> str:
    orders = [order for order in customer.orders if isinstance(order, shop.orders.Order)]
    return f"{customer.name}: {len(orders)} orders, {sum(order.total() for order in orders)} in all"
