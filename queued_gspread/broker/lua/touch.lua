-- Write something, so that a WAIT on the same connection waits for all that was written before.
--
-- KEYS[1] server    hash: who works, under which epoch
-- ARGV[1] epoch     of the asking server
--
-- Returns 1, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
redis.call('HSET', KEYS[1], 'touched', now_ms())
return 1
