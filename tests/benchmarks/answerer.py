"""A server's process: answers the calls of a contender until it is killed."""

from __future__ import annotations

import json
import sys

from .contenders import contender


def main():
    where = json.loads(sys.argv[1])
    contender(where["contender"]).serve(where)


if __name__ == "__main__":
    main()
