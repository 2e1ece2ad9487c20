-- Take a job back, unless its call may have written. A start and a withdrawal exclude each
-- other: each is one script, and a server asks before every request.
--
-- KEYS[1] lane      stream of the lane's jobs
-- KEYS[2] started   hash: job id -> how far the call is
-- KEYS[3] reply     stream with the job's reply
-- KEYS[4] recent    sorted set: ids enqueued lately, by Redis's time
-- ARGV[1] id        of the job
-- ARGV[2] entry     of the job in the stream, or '' if its enqueue was not confirmed
--
-- Returns 'answered', 'started' (it may have written; its reply will not be written), 'ended'
-- (it had only read, and goes no further) or 'withdrawn'.
may_grow(KEYS[2])
if redis.call('EXISTS', KEYS[3]) == 1 then
  return 'answered'
end
local mark = redis.call('HGET', KEYS[2], ARGV[1])
if mark and string.sub(mark, 1, 1) == 'w' then
  redis.call('HSET', KEYS[2], ARGV[1], 'wx')
  return 'started'
end
redis.call('HDEL', KEYS[2], ARGV[1])
-- An enqueue that is still on its way finds its id known, and adds nothing.
redis.call('ZADD', KEYS[4], 'NX', now_ms(), ARGV[1])
local entry = ARGV[2]
if entry == '' then
  -- It was put in a moment ago, if at all.
  for _, item in ipairs(redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1000)) do
    if item[2][2] == ARGV[1] then entry = item[1] end
  end
end
if entry ~= '' then
  redis.call('XDEL', KEYS[1], entry)
end
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[1])
end
return mark and 'ended' or 'withdrawn'
