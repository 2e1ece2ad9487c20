-- Hold the slots of one account for another set of slots, too: the account that owns the namespace
-- has changed, and with it whose slots each set has.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] from      sorted set: slots of a kind of request; see quota.lua
-- KEYS[3] to        sorted set: the same account's slots of that kind, from now on
-- ARGV[1] epoch     of the asking server
-- ARGV[2] window    milliseconds for which a slot without an answer is held
--
-- Returns 1, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
local now = now_ms()
local found = redis.call('ZRANGEBYSCORE', KEYS[2], now, '+inf', 'WITHSCORES')
for i = 1, #found, 2 do
  local latest = now + ARGV[2]
  local held_until = found[i + 1] == 'inf' and latest or math.min(found[i + 1], latest)
  redis.call('ZADD', KEYS[3], 'GT', held_until, found[i])
end
return 1
