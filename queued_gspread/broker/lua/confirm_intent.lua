-- Write something, so that a WAIT on the same connection covers everything written before, and
-- check that the intents are there. After a failover they may not be, and WAIT would prove nothing.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2...] journal  list of each job: what the next server must know of the call
-- ARGV[1] epoch     of the asking server
--
-- Returns 1 if each journal ends with an intent, else 0, or 'stale'.
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
