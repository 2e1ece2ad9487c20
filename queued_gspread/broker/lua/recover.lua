-- Make the ready list anew from the active lanes: names that a server had taken are lost with
-- the server, or with the connection that it read them from.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] ready     prefix of the lists of lanes that wait for a server, one for each epoch
-- KEYS[3] active    set: names of the lanes that a server knows or will be told of
-- ARGV[1] epoch     of the asking server
--
-- Returns the number of lanes, or 'stale'.
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
local ready = ready_list(KEYS[2], ARGV[1])
redis.call('DEL', ready)
local lanes = redis.call('SMEMBERS', KEYS[3])
for _, name in ipairs(lanes) do
  redis.call('RPUSH', ready, name)
end
return #lanes
