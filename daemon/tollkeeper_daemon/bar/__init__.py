"""The bar: lowers itself before an agent whose budget is spent, and opens again when told to."""
