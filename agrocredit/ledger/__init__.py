"""The rules of money: which account an amount leaves and reaches, and what a loan may do next. No SQL, no clock."""
