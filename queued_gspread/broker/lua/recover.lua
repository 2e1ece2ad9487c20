-- Take over from another server. The ready list is rebuilt from the active lanes, since names that
-- a server had popped are lost with the server, or with the connection that it read them from. A
-- slot whose answer never came is held for one more window.
--
-- KEYS[1] server    hash: the working server and its epoch; gets worked
-- KEYS[2] ready     prefix of the lists of lanes that wait for a server, one for each epoch
-- KEYS[3] active    set: names of the lanes that a server knows, or will learn of from ready
-- KEYS[4] formats   hash: which formats have had a server
-- KEYS[5...] slots  sorted sets: each account's slots of each kind of request; see quota.lua
-- ARGV[1] epoch     of the asking server
-- ARGV[2] window    milliseconds
-- ARGV[3] grace     milliseconds without a beat after which a server of another format is gone
--
-- Returns the number of lanes, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
redis.call('HSET', KEYS[1], 'worked', ARGV[1])
let_go(5, KEYS[4], ARGV[1], ARGV[2], tonumber(ARGV[3]))
local ready = ready_list(KEYS[2], ARGV[1])
redis.call('DEL', ready)
local lanes = redis.call('SMEMBERS', KEYS[3])
for _, name in ipairs(lanes) do
  redis.call('RPUSH', ready, name)
end
return #lanes
