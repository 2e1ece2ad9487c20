-- Stop being the server that works. The epoch stays: it never goes back. So does the time, by which
-- callers see that a server was there a moment ago.
--
-- KEYS[1] server    hash: who works, under which epoch
-- ARGV[1] epoch     of the asking server
--
-- Returns 1, or 0 where another server works already.
if not holds(KEYS[1], ARGV[1]) then
  return 0
end
redis.call('HDEL', KEYS[1], 'holder', 'last_beat', 'description', 'lease')
redis.call('HSET', KEYS[1], 'ended', now_ms())
return 1
