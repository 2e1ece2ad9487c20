-- Give a spreadsheet's lock to the job at the head of its lane, which stays there.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] progress  hash: job id -> how far the call is
-- KEYS[4] deliveries hash: job id -> the epochs under which it was delivered
-- KEYS[5] reply     stream with the job's reply
-- KEYS[6] locks     hash: name of a lane -> who has its lock
-- ARGV[1] epoch     of the granting server
-- ARGV[2] name      of the lane
-- ARGV[3] expiry    seconds after which an unfetched reply is dropped
-- ARGV[4] entry     of the job in the stream
-- ARGV[5] id        of the job, which is the lock's number
-- ARGV[6] body      of the reply
-- ARGV[7] hold      milliseconds without a call of the holder's after which the lock lapses
-- ARGV[8] who       the holder, in words
--
-- A job that has the lock already keeps it as it is.
--
-- Returns 1, 0 if the job was withdrawn, or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
if not item_of(KEYS[2], ARGV[4], ARGV[5]) then
  return 0
end
local locks = lock_functions()
local now, prefix = now_ms(), string.match(KEYS[6], '^(.*:)locks$')
local other = locks.lock_at(prefix, ARGV[2])
if other and other.number ~= ARGV[5] and not locks.is_idle(prefix, ARGV[2], other) then
  -- Its job is gone, as if the lane had been deleted by hand: its last call brings the lane back.
  other.state = 'broken'
  locks.keep_lock(prefix, ARGV[2], other)
  return 1
end
redis.call('XADD', KEYS[5] .. '/', 'NOMKSTREAM', '*', 'body', '')
redis.call('EXPIRE', KEYS[5] .. '/', ARGV[3])
redis.call('HDEL', KEYS[4], '')
if not other or other.number ~= ARGV[5] then
  locks.keep_lock(prefix, ARGV[2], {number = ARGV[5], since = now, last = now,
    hold = tonumber(ARGV[7]), state = 'held', who = ARGV[8]})
end
redis.call('HSET', KEYS[3], ARGV[5], 'l')
redis.call('HDEL', KEYS[4], ARGV[5])
if redis.call('EXISTS', KEYS[5]) == 0 then
  redis.call('XADD', KEYS[5], '*', 'body', ARGV[6])
  redis.call('EXPIRE', KEYS[5], ARGV[3])
end
return 1
