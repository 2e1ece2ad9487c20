-- Ask for the server that works.
--
-- KEYS[1] server    hash: who works, under which epoch
--
-- Returns {milliseconds since its last beat, about, holder}, or nil without one.
local at, about, holder = unpack(redis.call('HMGET', KEYS[1], 'at', 'about', 'holder'))
if not at then
  return false
end
return {now_ms() - at, about, holder}
