"""A dashboard that runs in a thread of the test."""

import asyncio
import threading
from contextlib import contextmanager

import requests
from waiting import PATIENCE

from queued_gspread.dashboard.queues import HEADER, Queue, Token
from queued_gspread.dashboard.routes import Dashboard
from queued_gspread.dashboard.sampler import Sampler
from queued_gspread.dashboard.serving import serve
from queued_gspread.settings import Settings
from queued_gspread.web.address import base_url, listening
from queued_gspread.web.guard import Guard

TOKEN = "a-token-of-the-tests-0123456789"
JSON = {"Content-Type": "application/json"}


class Site:
    """A dashboard, and requests to it."""

    def __init__(self, url, namespace):
        self.url, self.namespace = url, namespace

    def ask(self, method, path, content=None, **headers):
        """Send a request; return its status and the JSON."""
        answer = requests.request(
            method, f"{self.url}/{path}", json=content, headers=headers, timeout=PATIENCE
        )
        return answer.status_code, answer.json()

    def get(self, path):
        return self.ask("GET", f"api/queues/{self.namespace}/{path}")

    def post(self, name, token=TOKEN, **body):
        headers = {HEADER: token} if token else {}
        return self.ask("POST", f"api/queues/{self.namespace}/{name}", body, **headers)


@contextmanager
def dashboard(redis_url, *namespaces, token=TOKEN, allowed=(), port=0, act=None, **sampling):
    """Run a dashboard for a block; what is said of sampling is for its samplers."""
    sampling = {"linger": 0.2} | sampling
    listener = listening("127.0.0.1", port)
    url, running, ready = base_url("127.0.0.1", listener), {}, threading.Event()

    def make():
        queues = {}
        for name in namespaces:
            look, own = Settings(redis_url, name), act or Settings(redis_url, name)
            queues[name] = Queue(look, own, Sampler(look, **sampling))
        running["queues"] = queues
        return Dashboard(queues, Token(token), Guard("127.0.0.1", allowed, "dashboard")).app()

    async def run():
        running["loop"], running["stopping"] = asyncio.get_running_loop(), asyncio.Event()
        await serve(make, listener, ready.set, running["stopping"])

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="site", daemon=True)
    thread.start()
    assert ready.wait(PATIENCE)
    site = Site(url, namespaces[0])
    site.samplers = [queue.sampler for queue in running["queues"].values()]
    try:
        yield site
    finally:
        running["loop"].call_soon_threadsafe(running["stopping"].set)
        thread.join(PATIENCE)
        assert not thread.is_alive()
