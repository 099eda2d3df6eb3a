"""The rules: which bounds there are on spending, and what a look at them says. Pure."""
