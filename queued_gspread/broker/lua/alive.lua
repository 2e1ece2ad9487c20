-- Ask for the server that works and, where a job is named, whether Redis still knows it.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] lane      stream of the lane's jobs; absent where no job is named
-- KEYS[3] reply     stream with the job's reply
-- ARGV[1] entry     of the job in the stream
-- ARGV[2] id        of the job
--
-- Returns {milliseconds since the server's last beat or -1, about it, its id, 1 if Redis knows
-- the job, else 0, its signed generation or '', now}.
local at, about, holder, generation =
  unpack(redis.call('HMGET', KEYS[1], 'at', 'about', 'holder', 'generation'))
local known = 1
if KEYS[2] then
  local waits = item_of(KEYS[2], ARGV[1], ARGV[2])
  known = (waits or redis.call('EXISTS', KEYS[3]) == 1) and 1 or 0
end
local now = now_ms()
return {at and now - at or -1, about or '', holder or '', known, generation or '', now}
