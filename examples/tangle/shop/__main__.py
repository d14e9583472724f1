from shop.customers import Customer
from shop.orders import Order

customer = Customer("Ada")
customer.orders.append(Order(customer, {"tea": 2, "cake": 1}))
print(customer.summary())
