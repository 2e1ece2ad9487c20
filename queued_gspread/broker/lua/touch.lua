-- Write something, so that a WAIT on the same connection waits for all that was written before; see
-- whether that is there. After a failover it may not be, and there is nothing to wait for.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] journal   list: what the next server has to know of a call
-- ARGV[1] epoch     of the asking server
--
-- Returns 1 if the journal announces a request, else 0, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
redis.call('HSET', KEYS[1], 'touched', now_ms())
local last = redis.call('LINDEX', KEYS[2], -1)
return last and string.sub(last, 1, 1) == '>' and 1 or 0
