-- Take a job back, unless its call may have written. A start and a withdrawal exclude each
-- other: each is one script, and a server asks before every request.
--
-- KEYS[1] lane      stream of the lane's jobs
-- KEYS[2] started   hash: job id -> how far the call is
-- KEYS[3] reply     stream with the job's reply
-- KEYS[4] recent    sorted set: ids enqueued lately, by Redis's time
-- KEYS[5] tries     hash: job id -> the epochs under which it was handed out
-- KEYS[6] journal   list: what the next server has to know of the call
-- KEYS[7] waiting   how many jobs wait in the namespace
-- ARGV[1] id        of the job
-- ARGV[2] entry     of the job in the stream, or '' if its enqueue was not confirmed
--
-- Returns 'answered', 'started' (it may have written; its reply will not be written), 'ended'
-- (it had only read, and goes no further), 'withdrawn', or 'lost' (Redis does not know it).
may_grow(KEYS[2])
if redis.call('EXISTS', KEYS[3]) == 1 then
  return 'answered'
end
-- Sent twice, it says the same twice.
for _, fate in ipairs({'withdrawn', 'ended'}) do
  if redis.call('ZSCORE', KEYS[4], fate .. ':' .. ARGV[1]) then return fate end
end
local mark = redis.call('HGET', KEYS[2], ARGV[1])
if mark and may_have_written(mark) then
  redis.call('HSET', KEYS[2], ARGV[1], string.sub(mark, 1, 1) .. 'x')
  return 'started'
end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[5], ARGV[1])
redis.call('DEL', KEYS[6])
-- An enqueue that is still on its way finds its id known, and adds nothing.
local enqueued = redis.call('ZSCORE', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[4], 'NX', now_ms(), ARGV[1])
local entry = ARGV[2]
if entry == '' and enqueued then
  -- Its entry has the time at which its id was noted.
  entry = entry_of(KEYS[1], ARGV[1], enqueued)
end
local found = entry ~= '' and redis.call('XDEL', KEYS[1], entry) == 1
if found then
  count(KEYS[7], -1)
end
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[1])
end
if ARGV[2] ~= '' and not found then
  return 'lost'
end
local fate = mark and 'ended' or 'withdrawn'
redis.call('ZADD', KEYS[4], now_ms(), fate .. ':' .. ARGV[1])
return fate
