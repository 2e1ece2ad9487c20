"""The queue: ``update_acell`` with one string, through a server that answers from memory."""

from __future__ import annotations

import threading

from limits import UNLIMITED

import queued_gspread
from queued_gspread.server import Server
from queued_gspread.server.log import configure
from tests.programs.benchmarks.instant import instant_client

from . import PAYLOAD


def caller(where):
    client = queued_gspread.authorize(redis_url=where["redis_url"], namespace=where["namespace"])
    sheets = [client.open_by_key(f"book-{n}").sheet1 for n in range(where.get("books", 1))]

    def call(number):
        return sheets[number % len(sheets)].update_acell("A1", PAYLOAD)

    return call


def serve(where, **limits):
    configure("info", "text")
    place = {"redis_url": where["redis_url"], "namespace": where["namespace"]}
    Server(instant_client(), **place, **(UNLIMITED | limits)).start()
    print("ready", flush=True)
    threading.Event().wait()
