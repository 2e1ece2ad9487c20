-- Withdraw a job, unless its call may have written. A start and a withdrawal exclude each other:
-- each is one script, and a server asks before every request.
--
-- KEYS[1] lane      stream of the lane's jobs
-- KEYS[2] progress  hash: job id -> how far the call is
-- KEYS[3] reply     stream with the job's reply
-- KEYS[4] dedup     sorted set: ids of recent jobs, by Redis's time
-- KEYS[5] deliveries hash: job id -> the epochs under which it was delivered
-- KEYS[6] journal   list: what the next server must know of the call
-- KEYS[7] depth     how many jobs wait in the namespace
-- KEYS[8] active    set: names of the lanes that a server knows, or will learn of from ready
-- KEYS[9] ready     prefix of the lists of lanes that wait for a server, one for each epoch
-- KEYS[10] server   hash: the working server and its epoch
-- KEYS[11] failed   for a cancellation; sorted set: calls that nobody waited for and that failed
-- ARGV[1] id        of the job
-- ARGV[2] entry     of the job in the stream, or '' if its enqueue was not confirmed
-- ARGV[3] name      of the lane
-- ARGV[4] first     a time of Redis's clock before the first try at enqueueing this job, or '' if
--                   there was none
-- ARGV[5] gently    present if a call that may have written goes on, and its reply is wanted
-- ARGV[6] body      present if another than its caller cancels it: the reply that says so
-- ARGV[7] expiry    then, seconds after which an unfetched reply is dropped
-- ARGV[8] failure   then, what is kept of the call's failure, or ''
-- ARGV[9] most      then, how many failed calls are kept
--
-- Returns 'answered', 'started' (it may have written; its reply will not be stored, unless gently),
-- 'ended' (it had only read, and goes no further), 'withdrawn', or 'lost' (Redis does not know it,
-- but may have). A cancellation returns 'locked' for a job that has a lock, which stays.
local locks = lock_functions()
may_grow(KEYS[2])
local now, is_cancelled = now_ms(), ARGV[6]
local is_answered = redis.call('EXISTS', KEYS[3]) == 1
if is_answered and not is_cancelled then
  return 'answered'
end
-- A retry must return the same.
for _, fate in ipairs({'withdrawn', 'ended'}) do
  if redis.call('ZSCORE', KEYS[4], fate .. ':' .. ARGV[1]) then
    locks.note_use(KEYS[1], now)
    return fate
  end
end
if is_answered then
  return 'answered'
end
local mark = redis.call('HGET', KEYS[2], ARGV[1])
if mark and may_have_written(mark) then
  if ARGV[5] then return 'started' end
  redis.call('HSET', KEYS[2], ARGV[1], string.sub(mark, 1, 1) .. 'x')
  return 'started'
end
if mark == 'l' and is_cancelled then
  return 'locked'
end
if mark == 'l' then
  -- A lock whose caller does not know that it has it: the answer is gone.
  may_note(KEYS[4])
  locks.end_lock(string.match(KEYS[1], '^(.*:)lane:'), ARGV[3], ARGV[1])
  redis.call('ZADD', KEYS[4], now, 'withdrawn:' .. ARGV[1])
  return 'withdrawn'
end
local enqueued = redis.call('ZSCORE', KEYS[4], ARGV[1])
local entry = ARGV[2]
if entry == '' and enqueued then
  -- The entry has the time at which its id was recorded.
  entry = entry_of(KEYS[1], ARGV[1], enqueued)
end
local item = entry ~= '' and item_of(KEYS[1], entry, ARGV[1])
local length = redis.call('XLEN', KEYS[1])
local first = tonumber(ARGV[4]) or now
local was_there = ARGV[2] ~= '' or enqueued or may_be_forgotten(KEYS[4], first, now)
may_note(KEYS[4])
may_take_out(KEYS[1], KEYS[8])
may_delete(KEYS[1])
may_delete(KEYS[6])
redis.call('HDEL', KEYS[5], '')
if is_cancelled then
  if not item then
    return 'lost'
  end
  redis.call('XADD', KEYS[3] .. '/', 'NOMKSTREAM', '*', 'body', '')
  redis.call('EXPIRE', KEYS[3] .. '/', ARGV[7])
  redis.call('ZADD', KEYS[11], 'XX', 0, '')
  redis.call('ZREMRANGEBYRANK', KEYS[11], 1, 0)
end

-- Remove the job's copy from the ready list, where it may have gone along with its lane's name.
local function take_copy()
  local _, body = job_of(item)
  if #body > MOST_WITH_NAME then
    return
  end
  local list = ready_list(KEYS[9], redis.call('HGET', KEYS[10], 'epoch') or '')
  redis.call('LREM', list .. '/', 1, '')
  -- Push the bare name before removing the copy, and remove it again if there was no copy.
  if length > 1 then
    redis.call('RPUSH', list, ARGV[3])
  end
  if redis.call('LREM', list, 1, with_job(ARGV[3], entry, ARGV[1], body)) == 1 then
    if length == 1 then
      redis.call('SREM', KEYS[8], ARGV[3])
    end
  elseif length > 1 then
    redis.call('LREM', list, -1, ARGV[3])
  end
end

if item then
  take_copy()
  count(KEYS[7], -1)
  take_out(KEYS[1], entry, length)
elseif length == 0 then
  redis.call('DEL', KEYS[1])
end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[5], ARGV[1])
redis.call('DEL', KEYS[6])
-- An enqueue that is still on its way finds the id known, and adds nothing.
redis.call('ZADD', KEYS[4], 'NX', now, ARGV[1])
local fate = was_there and not item and 'lost' or mark and 'ended' or 'withdrawn'
if fate ~= 'lost' then
  redis.call('ZADD', KEYS[4], now, fate .. ':' .. ARGV[1])
end
locks.note_use(KEYS[1], now)
if is_cancelled then
  redis.call('XADD', KEYS[3], '*', 'body', ARGV[6])
  redis.call('EXPIRE', KEYS[3], ARGV[7])
  if ARGV[8] ~= '' then
    redis.call('ZADD', KEYS[11], 'NX', now, ARGV[8])
    redis.call('ZREMRANGEBYRANK', KEYS[11], 0, -1 - ARGV[9])
  end
end
return fate
