-- Restore slots that a server knows to be held and Redis has forgotten: it was emptied, came back
-- with an older state, or another Redis is the master. A slot that Redis still knows is never
-- shortened, unless Redis has forgotten its answer.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] slots     sorted set: an account's slots of a kind of request; see quota.lua
-- ARGV[1] epoch     of the asking server
-- then, for each slot:
--         name
--         left      milliseconds for which it is held, or 'inf'
--
-- Returns 1, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
local now = now_ms()
for i = 2, #ARGV, 2 do
  local held_until = ARGV[i + 1] == 'inf' and 'inf' or now + ARGV[i + 1]
  if redis.call('ZSCORE', KEYS[2], ARGV[i]) == 'inf' then
    redis.call('ZADD', KEYS[2], held_until, ARGV[i])
  else
    redis.call('ZADD', KEYS[2], 'GT', held_until, ARGV[i])
  end
end
return 1
