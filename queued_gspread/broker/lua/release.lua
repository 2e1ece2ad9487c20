-- Give up the lease. The epoch stays, since it must never go back. So does the time of the end, by
-- which callers see that a server was there a moment ago.
--
-- KEYS[1] server    hash: the working server and its epoch
-- ARGV[1] epoch     of the asking server
--
-- Returns 1, or 0 if another server already works.
if not holds(KEYS[1], ARGV[1]) then
  return 0
end
redis.call('HDEL', KEYS[1], 'holder', 'last_beat', 'description', 'lease')
redis.call('HSET', KEYS[1], 'ended', now_ms())
return 1
