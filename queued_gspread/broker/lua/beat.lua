-- Say that a server is alive; become the one that works if nobody else is.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] ready     prefix of the lists of lanes that wait for a server, one for each epoch
-- ARGV[1] id        of the asking server
-- ARGV[2] lease     milliseconds without a beat after which a server counts as gone
-- ARGV[3] about     the asking server in words, for its colleagues and for observers
-- ARGV[4] epoch     that the asking server holds, or ''
-- ARGV[5] max_queue how many jobs may wait in the namespace; 0 for any number
-- ARGV[6] generation its signed generation, for whoever signs a job; '' where nothing is signed
--
-- Returns {'kept', epoch}, {'taken', epoch} (a new one: read the queue again) or
-- {'held', about the other server, milliseconds until it counts as gone}.
may_grow(KEYS[1])
local now = now_ms()
local holder, epoch, at, about, lease =
  unpack(redis.call('HMGET', KEYS[1], 'holder', 'epoch', 'at', 'about', 'lease'))
-- By the lease of the one that works: a colleague's may be shorter than its beats are apart.
local left = (tonumber(at) or 0) + (tonumber(lease) or 0) - now
if holder and left > 0 and holder ~= ARGV[1] then
  return {'held', about, left}
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'at', now, 'about', ARGV[3], 'lease', ARGV[2])
redis.call('HSET', KEYS[1], 'max_queue', ARGV[5], 'generation', ARGV[6])
if holder == ARGV[1] and epoch == ARGV[4] then
  -- Perhaps late, but nobody has worked in between.
  return {'kept', epoch}
end
-- Never one that was there before, even where Redis has forgotten everything.
local newest = string.format('%.0f', math.max((tonumber(epoch) or 0) + 1, now))
redis.call('HSET', KEYS[1], 'epoch', newest)
redis.call('DEL', ready_list(KEYS[2], epoch or ''))
return {'taken', newest}
