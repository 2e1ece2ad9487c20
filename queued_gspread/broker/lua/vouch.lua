-- Replace the set of the signed jobs that nobody waits for and that are answered.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] answered  sorted set: see vouch_for in common.lua
-- ARGV[1] epoch     of the asking server
-- ARGV[2] vouched   what to put there, in JSON
--
-- Returns 1, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
redis.call('HDEL', KEYS[1], 'answered')
redis.call('DEL', KEYS[2])
vouch_for(KEYS[1], KEYS[2], ARGV[2])
return 1
