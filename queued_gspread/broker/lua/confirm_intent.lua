-- Write something, so that a WAIT on the same connection waits for all that was written before; see
-- whether that is there. After a failover it may not be, and there is nothing to wait for.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2...] journal  list, of each job: what the next server has to know of the call
-- ARGV[1] epoch     of the asking server
--
-- Returns 1 if each journal announces a request, else 0, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
redis.call('HSET', KEYS[1], 'touched', now_ms())
for i = 2, #KEYS do
  local last = redis.call('LINDEX', KEYS[i], -1) or ''
  if string.sub(last, 1, 1) ~= '>' then
    return 0
  end
end
return 1
