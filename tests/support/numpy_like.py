"""Values like numpy's: number-like, but unknown to JSON."""


class Int64:
    def __int__(self):
        return self._value

    def __init__(self, value):
        self._value = value


class Text:
    """Not a str, but requests puts it into a URL correctly."""

    def __init__(self, text):
        self._text = text

    def __str__(self):
        return self._text
