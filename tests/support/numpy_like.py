"""Values as numpy has them: number-like, and strangers to JSON."""


class Int64:
    def __int__(self):
        return self._value

    def __init__(self, value):
        self._value = value


class Text:
    """Not a str, yet what requests makes of it in a URL is right."""

    def __init__(self, text):
        self._text = text

    def __str__(self):
        return self._text
