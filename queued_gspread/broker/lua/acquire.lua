-- Ask whether a request may be sent now. If so, take a quota slot for it, mark the progress of each
-- job that takes part in it, give it its idempotency key if it has one, and write into the job's
-- journal what the next server must know: all or nothing. Before that, and in any case, release
-- slots whose requests were answered.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] progress  hash: job id -> how far the call is
-- KEYS[4] throttle  hash: see quota.lua; that of the asked account
-- KEYS[5] slots     sorted set: the account's slots of this kind of request
-- KEYS[6] deliveries hash: job id -> the epochs under which it was delivered
-- KEYS[7...] journal  list, of each job: what the next server must know of the call
-- then, for each slot to release:
--           slots     sorted set: the slots of its account and kind
--           throttle  hash: that account's
-- then, if the account shares its project with others:
--           slots     sorted set: of each of them, itself included, the slots of this kind
-- ARGV[1] epoch     of the asking server
-- ARGV[2] kind      the request's kind of quota; '' for one that takes no slot
-- ARGV[3] slot      a name for the slot
-- ARGV[4] limit     slots of this kind; 0 for no limit
-- ARGV[5] window    milliseconds
-- ARGV[6] interval  milliseconds between two requests of any kind
-- ARGV[7] latest    the latest slot of this kind that the server knows to be held, or ''
-- ARGV[8] what      'read' or 'write': what a pause of either holds up
-- ARGV[9] shared    slots of this kind of the account's project; 0 for no limit
-- ARGV[10] known    of each account that shares the project: the latest slot of this kind that the
--                   server knows to be held, or '-'; '' if the account has it for itself
-- ARGV[11] slots_to_release  how many; then, for each of them:
--         kind      its request's kind of quota
--         slot      its name
--         limit     slots of its kind; 0 for no limit
--         window    milliseconds
--         sent      the time that this script returned
-- then, for each job:
--         entry     in the stream; its time is that of the enqueue
--         id
--         mark      'r' it has only read so far, 'w' it may have written, but only idempotent
--                   requests, 'j' its journal says what it wrote
--         is_new    '1' if it came with the name of its lane, and was not delivered yet, or ''
--         timeout   milliseconds after the enqueue at which the call is too late, or ''
--         position  how many entries the journal has
--         attempt   a name for the attempt whose intent goes into the journal, or ''
--         request   the intent: a description of the request
--         claim     the idempotency key that it is under, and what may be kept of all; '' for none
--         count     of the entries that go into the journal before the intent
--         ...       these entries
--
-- Returns {'go', now, 1 if the latest request of this kind was refused, 1 if it holds a slot, else
-- 0, the current limit, a word for each job: 'go', 'withdrawn', 'late', 'lost' (the lock that its
-- lane belongs to), 'promised' (another call has its key) or 'full' (no more keys may be kept)};
-- {'none', 0, 0, 0, 0, the words} if none of them goes; {'paused', the line of the pause};
-- {'wait', milliseconds or -1 (until a response comes), which requests
-- wait: 'kind', 'pause' (that kind, since a refusal) or 'all', the limit}; {'forgotten'} if Redis
-- no longer knows the latest slot of an account, nor those taken with it; or 'stale'.
may_grow(KEYS[1])
local epoch, paused = unpack(redis.call('HMGET', KEYS[1], 'epoch', 'paused'))
local now, works = now_ms(), epoch == ARGV[1]
local known = {}
for name in string.gmatch(ARGV[10], '%S+') do
  known[#known + 1] = name
end
local first_of_project = #KEYS - #known + 1
local at = release_slots(works, now, first_of_project - 2 * ARGV[11], 11)
if not works then
  return 'stale'
end
local kind, slot, full, window, interval =
  ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local jobs, promises = {}, nil
while at <= #ARGV do
  local job = {journal = KEYS[7 + #jobs], first = at + 10, last = at + 9 + ARGV[at + 9]}
  job.entry, job.id, job.mark, job.is_new = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  job.timeout, job.position = ARGV[at + 4], tonumber(ARGV[at + 5])
  job.attempt, job.request = ARGV[at + 6], ARGV[at + 7]
  if ARGV[at + 8] ~= '' then
    promises = promises or promise_functions()
    job.claim = promises.claim_of(ARGV[at + 8], KEYS[2])
  end
  jobs[#jobs + 1] = job
  at = job.last + 1
end

local is_lost = false
if is_of_lock(KEYS[2]) then
  local locks = lock_functions()
  is_lost = locks.is_lock_lost(KEYS[2])
end
local new = {many = 0, bytes = 0}
local function word_of(job)
  if not item_of(KEYS[2], job.entry, job.id) then
    return 'withdrawn'
  end
  job.was = redis.call('HGET', KEYS[3], job.id) or ''
  if job.was == 'rx' then
    return 'withdrawn'
  end
  if is_lost and not may_have_written(job.was) then
    return 'lost'
  end
  local enqueued = tonumber(string.match(job.entry, '^%d+'))
  if job.timeout ~= '' and now > enqueued + job.timeout and not may_have_written(job.was) then
    return 'late'
  end
  if job.claim then
    return promises.word_of_claim(job.claim, job.id, job.was, new, now)
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
  -- A request that is not sent needs no slot. It has one if it was permitted earlier and the reply
  -- to the server was lost. A slot whose request was answered stays held for its window.
  if kind ~= '' and redis.call('ZSCORE', KEYS[5], slot) == 'inf' then
    redis.call('ZREM', KEYS[5], slot)
  end
  return {'none', 0, 0, 0, 0, unpack(words)}
end

local pause = paused and pause_of(paused, KEYS[2], ARGV[8])
-- One that was permitted before goes: the reply to the server was lost.
if pause and (kind == '' or not redis.call('ZSCORE', KEYS[5], slot)) then
  return {'paused', pause}
end

local is_trial, is_held, limit, is_first = 0, 0, 0, false
if kind ~= '' then
  local q = quota_of(KEYS[4], KEYS[5], kind, full, window, now)
  if ARGV[7] ~= '' and not redis.call('ZSCORE', KEYS[5], ARGV[7]) then
    return {'forgotten'}
  end
  for i, name in ipairs(known) do
    if name ~= '-' and not redis.call('ZSCORE', KEYS[first_of_project + i - 1], name) then
      return {'forgotten'}
    end
  end
  -- A retry after a broken connection must not take a second slot.
  if not redis.call('ZSCORE', KEYS[5], slot) then
    local of_project = {unpack(KEYS, first_of_project)}
    local wait, what = wait_ms(q, interval, of_project, tonumber(ARGV[9]))
    if wait ~= 0 then
      return {'wait', wait, what, limit_known(q)}
    end
    if q.streak then
      redis.call('HSET', KEYS[4], 'trial:' .. kind, slot, 'tried:' .. kind, now)
    end
    if takes_slot(q) then
      -- Checks that Redis permits ZREM, which undoes this if a later write is refused.
      redis.call('ZREM', KEYS[5], slot)
      redis.call('ZADD', KEYS[5], 'inf', slot)
    end
    is_first = true
  end
  is_trial, is_held, limit = q.streak and 1 or 0, takes_slot(q) and 1 or 0, limit_known(q)
end

-- Only release_slot.lua takes a mark back. The x of a caller that has given up stays.
local ranks = {r = 1, w = 2, j = 3}
local function mark(job)
  local far = string.sub(job.was, 1, 1)
  if (ranks[far] or 0) < ranks[job.mark] then
    far = job.mark
  end
  redis.call('HSET', KEYS[3], job.id, far .. string.sub(job.was, 2, 2))
end

local function note(job)
  -- Entries that Redis lost in a failover are unknown; keep the new ones at their positions.
  for _ = redis.call('LLEN', job.journal) + 1, job.position do
    redis.call('RPUSH', job.journal, '?')
  end
  -- A retry must not write twice.
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
    if job.claim then
      promises.take_claim(job.claim, job.id, job.entry, now)
    end
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
  -- A retry may come with another slot.
  if is_first then
    redis.call('ZREM', KEYS[5], slot)
    redis.call('HDEL', KEYS[4], 'next')
  end
  error(refusal, 0)
end
return {'go', now, is_trial, is_held, limit, unpack(words)}
