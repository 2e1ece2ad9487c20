-- Append a job to its lane. Idempotent: a retry adds no second job.
--
-- KEYS[1] lane      stream of the lane's jobs
-- KEYS[2] dedup     sorted set: ids of recent jobs, by Redis's time
-- KEYS[3] active    set: names of the lanes that a server knows, or will learn of from ready
-- KEYS[4] ready     prefix of the lists of lanes that wait for a server, one for each epoch
-- KEYS[5] server    hash: the working server and its epoch
-- KEYS[6] depth     how many jobs wait in the namespace
-- ARGV[1] id        of the job
-- ARGV[2] body      of the job
-- ARGV[3] name      of the lane
-- ARGV[4] memory    milliseconds for which an id is remembered
-- ARGV[5] first     a time of Redis's clock before the first try at enqueueing this job
--
-- Returns {the entry's id in the stream (0-1, which no entry has, for a known job that is gone),
-- the server's signed generation or '', now}; {'full', how many jobs wait, how many may, now}; or
-- {'late', now} if it is no longer known whether an earlier try enqueued it; {'lost', now} if the
-- lane is that of a lock's holder, and the lock has ended; {'drained', what is paused, now} if the
-- queue takes no new calls: those of a lock's holder are part of what it has.
local now = now_ms()
local generation, limit, epoch, paused =
  unpack(redis.call('HMGET', KEYS[5], 'generation', 'max_queue', 'epoch', 'paused'))
local known = redis.call('ZSCORE', KEYS[2], ARGV[1])
if known then
  local there = entry_of(KEYS[1], ARGV[1], known)
  return {there ~= '' and there or '0-1', generation or '', now}
end
if may_be_forgotten(KEYS[2], tonumber(ARGV[5]), now) then
  return {'late', now}
end
local is_holders = false
if is_of_lock(KEYS[1]) then
  local locks = lock_functions()
  is_holders = locks.lock_lane(KEYS[1]) ~= nil
  if is_holders and not locks.may_use_lock(KEYS[1], now) then
    return {'lost', now}
  end
end
if paused and paused_line(paused, DRAIN) and not is_holders then
  return {'drained', paused, now}
end
-- This first write makes a Redis that is out of memory refuse the whole script.
local waiting = count(KEYS[6], 0)
limit = tonumber(limit) or 0
if limit > 0 and waiting >= limit then
  return {'full', waiting, limit, now}
end
may_note(KEYS[2])
may_take_out(KEYS[1], KEYS[3])
may_delete(KEYS[1])
if string.find(ARGV[1], '^[01]') then
  -- Ids are random, so one enqueue in eight forgets old ids for all.
  forget(KEYS[2], now - ARGV[4])
end

local length = redis.call('XLEN', KEYS[1]) + 1
local is_new = redis.call('SADD', KEYS[3], ARGV[3]) == 1
local entry = redis.pcall('XADD', KEYS[1], '*', 'id', ARGV[1], 'body', ARGV[2])
local refusal = type(entry) == 'table' and entry
if is_new and not refusal then
  local item = ARGV[3]
  -- The only job of a lane goes along with the lane's name, so that the server need not ask for it.
  if epoch and #ARGV[2] <= MOST_WITH_NAME and length == 1 then
    item = with_job(ARGV[3], entry, ARGV[1], ARGV[2])
  end
  local pushed = redis.pcall('RPUSH', ready_list(KEYS[4], epoch or ''), item)
  if type(pushed) == 'table' then
    refusal = pushed
    take_out(KEYS[1], entry, length)
  end
end
if refusal then
  -- The caller's error says that the call will not be made, so nothing may be left behind.
  if is_new then
    redis.call('SREM', KEYS[3], ARGV[3])
  end
  return refusal
end
redis.call('ZADD', KEYS[2], string.match(entry, '^%d+'), ARGV[1])
count(KEYS[6], 1)
return {entry, generation or '', now}
