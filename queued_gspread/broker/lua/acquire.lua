-- Ask whether a request may be sent now. If so, take a slot of the quota for it, and for every job
-- that has a share in it, mark how far its call will be, and write into its journal what the next
-- server has to know: all or nothing. Before that, release slots whose requests were answered: that
-- is done in any case.
--
-- KEYS[1] server    hash: who works, under which epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] progress  hash: job id -> how far the call is
-- KEYS[4] throttle  hash: see quota.lua
-- KEYS[5] slots     sorted set: the slots of this kind of request
-- KEYS[6] deliveries hash: job id -> the epochs under which it was handed out
-- KEYS[7...] journal  list, of each job: what the next server has to know of the call
-- then, of each slot to release:
--           slots     sorted set: the slots of its kind
-- ARGV[1] epoch     of the asking server
-- ARGV[2] kind      of the request, as to the quota; '' for one that takes no slot
-- ARGV[3] slot      a name for the slot
-- ARGV[4] limit     slots of this kind; 0 for any number
-- ARGV[5] window    milliseconds
-- ARGV[6] interval  milliseconds between two requests of whatever kind
-- ARGV[7] latest    the latest slot of this kind that the server knows to be held, or ''
-- ARGV[8] slots_to_release  how many; then of each of them:
--         kind      of its request
--         slot      its name
--         limit     slots of its kind; 0 for any number
--         window    milliseconds
--         sent      what this script returned as the time
-- then, of each job:
--         entry     in the stream; its time is the enqueue's
--         id
--         mark      'r' it only reads so far, 'w' it may have written what may be written twice,
--                   'j' its journal tells
--         is_new    '1' if it came with the name of its lane, and was not handed out yet, or ''
--         timeout   milliseconds after the enqueue at which the call is too late, or ''
--         position  how many entries the journal has
--         attempt   a name for the attempt at a request that is announced in the journal, or ''
--         request   what tells of it
--         count     of the entries for the journal, before that
--         ...       these
--
-- Returns {'go', now, 1 if the latest request of this kind was refused, 1 if it holds a slot, else 0,
-- the limit that holds now, a word for each job: 'go', 'withdrawn' or 'late'}, {'none', 0, 0, 0, 0,
-- the words} where none of them goes, {'wait', milliseconds or -1 (until a response comes), 'kind',
-- 'pause' (of that kind) or 'all', the limit}, {'forgotten'} where Redis does not know the latest
-- slot any more, nor those that were taken with it, or 'stale'.
may_grow(KEYS[1])
local now, works = now_ms(), holds(KEYS[1], ARGV[1])
local at = release_slots(KEYS[4], works, now, #KEYS - ARGV[8] + 1, 8)
if not works then
  return 'stale'
end
local kind, slot, full, window, interval =
  ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local jobs = {}
while at <= #ARGV do
  local job = {journal = KEYS[7 + #jobs], first = at + 9, last = at + 8 + ARGV[at + 8]}
  job.entry, job.id, job.mark, job.is_new = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  job.timeout, job.position = ARGV[at + 4], tonumber(ARGV[at + 5])
  job.attempt, job.request = ARGV[at + 6], ARGV[at + 7]
  jobs[#jobs + 1] = job
  at = job.last + 1
end

local function word_of(job)
  if not item_of(KEYS[2], job.entry, job.id) then
    return 'withdrawn'
  end
  job.was = redis.call('HGET', KEYS[3], job.id) or ''
  if job.was == 'rx' then
    return 'withdrawn'
  end
  local enqueued = tonumber(string.match(job.entry, '^%d+'))
  if job.timeout ~= '' and now > enqueued + job.timeout and not may_have_written(job.was) then
    return 'late'
  end
  return 'go'
end

local words, going = {}, {}
for i, job in ipairs(jobs) do
  words[i] = word_of(job)
  if words[i] == 'go' then
    going[#going + 1] = job
  end
end
if #going == 0 then
  -- What is not sent has no slot: it has one if it was let go, and the answer never came. One
  -- that was answered is held for its window, whoever asks again.
  if kind ~= '' and redis.call('ZSCORE', KEYS[5], slot) == 'inf' then
    redis.call('ZREM', KEYS[5], slot)
  end
  return {'none', 0, 0, 0, 0, unpack(words)}
end

local is_trial, is_held, limit, is_first = 0, 0, 0, false
if kind ~= '' then
  local q = quota_of(KEYS[4], KEYS[5], kind, full, window, now)
  if ARGV[7] ~= '' and not redis.call('ZSCORE', KEYS[5], ARGV[7]) then
    return {'forgotten'}
  end
  -- Asked twice, because a connection broke, it is one slot.
  if not redis.call('ZSCORE', KEYS[5], slot) then
    local wait, what = wait_ms(q, interval)
    if wait ~= 0 then
      return {'wait', wait, what, limit_known(q)}
    end
    if q.streak then
      redis.call('HSET', KEYS[4], 'trial:' .. kind, slot, 'tried:' .. kind, now)
    end
    if takes_slot(q) then
      -- Asks whether it may be given back, where the rest is refused.
      redis.call('ZREM', KEYS[5], slot)
      redis.call('ZADD', KEYS[5], 'inf', slot)
    end
    is_first = true
  end
  is_trial, is_held, limit = q.streak and 1 or 0, takes_slot(q) and 1 or 0, limit_known(q)
end

-- Only release_slot.lua takes a mark back, and a caller that has given up (x) stays known as such.
local ranks = {r = 1, w = 2, j = 3}
local function mark(job)
  local far = string.sub(job.was, 1, 1)
  if (ranks[far] or 0) < ranks[job.mark] then
    far = job.mark
  end
  redis.call('HSET', KEYS[3], job.id, far .. string.sub(job.was, 2, 2))
end

local function note(job)
  -- What Redis has lost, in a failover, nobody knows; what is written now has to stand in its place.
  for _ = redis.call('LLEN', job.journal) + 1, job.position do
    redis.call('RPUSH', job.journal, '?')
  end
  -- Asked twice, it is written once.
  if redis.call('LLEN', job.journal) ~= job.position then
    return
  end
  for i = job.first, job.last do
    redis.call('RPUSH', job.journal, ARGV[i])
  end
  if job.attempt ~= '' then
    redis.call('RPUSH', job.journal, '>' .. job.attempt .. ' ' .. now .. ' ' .. job.request)
  end
end

local function write()
  if is_first and interval > 0 then
    redis.call('HSET', KEYS[4], 'next', now + interval)
  end
  for _, job in ipairs(going) do
    mark(job)
    if job.is_new ~= '' and not has_left(KEYS[1], ARGV[1]) then
      redis.call('HSETNX', KEYS[6], job.id, '/' .. ARGV[1] .. '/')
    end
  end
  for _, job in ipairs(going) do
    if job.position > 0 or job.first <= job.last or job.attempt ~= '' then
      note(job)
    end
  end
end

local is_written, refusal = pcall(write)
if not is_written then
  -- Who comes again may have another slot.
  if is_first then
    redis.call('ZREM', KEYS[5], slot)
    redis.call('HDEL', KEYS[4], 'next')
  end
  error(refusal, 0)
end
return {'go', now, is_trial, is_held, limit, unpack(words)}
