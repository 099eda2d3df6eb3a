"""How to install what an extra brings: in words that hold wherever Tollkeeper was installed from."""


def install_with(extra: str) -> str:
    """What to do where this extra is missing."""
    return f"install Tollkeeper with its extra [{extra}], as the README says"
