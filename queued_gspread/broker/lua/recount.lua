-- Recount the waiting jobs, since an operator may have deleted a lane by hand.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] active    set: names of the lanes that a server knows, or will learn of from ready
-- KEYS[3] depth     how many jobs wait in the namespace
-- KEYS[4] progress  hash: job id -> how far the call is
-- KEYS[5] lane      prefix of the streams of the lanes' jobs
-- ARGV[1] epoch     of the asking server
--
-- Returns {how many wait, how many of the calls were started}, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
local waiting = 0
for _, name in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  -- A key of another type holds no jobs.
  waiting = waiting + (tonumber(try('XLEN', KEYS[5] .. name)) or 0)
end
if waiting > 0 then
  redis.call('SET', KEYS[3], waiting)
else
  redis.call('DEL', KEYS[3])
end
return {waiting, tonumber(try('HLEN', KEYS[4])) or 0}
