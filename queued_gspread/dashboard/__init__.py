"""A page that shows queues, and acts on them for those who have its token.

A process of its own, beside any server. It keeps nothing: what it shows is the snapshot of
:mod:`queued_gspread.monitor`, and what it does is what the commands do. It needs aiohttp, which
comes with the extra ``dashboard``.
"""
