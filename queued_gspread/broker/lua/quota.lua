-- The quota of one account for one kind of request; scripts.py prepends it after common.lua.
--
-- A slot is an entry of a sorted set: its score is the time until which it is held, infinite until
-- its request is answered. Where accounts share a project, their sets together are the project's
-- slots. What Google's refusals have taught is kept in a hash, one for each account:
--
-- next           the earliest time for the next request of any kind
-- until:KIND     the time before which no request of that kind is sent
-- paused:KIND    when that was set
-- streak:KIND    refusals in a row, each of a request that was sent after the previous refusal
-- refused:KIND   the time of the latest of them
-- trial:KIND     the slot of the trial request: the first one sent after the refusal
-- tried:KIND     when that was sent
-- limit:KIND     the limit, while it is below the full one
-- shrunk:KIND    when it was lowered
-- quiet:KIND     the start of the time without a refusal for which it has not grown yet
-- supposed:KIND  if no limit is configured, the assumed full one, while the limit is below it
--
-- A time further in the future than possible was written before the clock was set back. It is
-- moved; otherwise it would hold requests up until the clock has caught up.

-- The share of the full limit that a quiet window gives back. The limit is kept with its fraction,
-- so that a low one recovers as slowly as a high one.
local STEP = 0.05
-- The same if no limit is configured: that it was too high is a guess, which Google soon corrects.
local SUPPOSED_STEP = 0.25
-- The share of the limit that is left after a window with a refusal.
local SHRINK = 0.75

-- A kind's quota as a table, by the names in the hash; `full` is the configured limit, 0 for none.
local function quota_of(throttle, slots, kind, full, window, now)
  local q = {}
  local fields = redis.call('HGETALL', throttle)
  for i = 1, #fields, 2 do
    local name, of = string.match(fields[i], '^(%l+):?(%l*)$')
    if of == kind or of == '' then
      q[name] = tonumber(fields[i + 1]) or fields[i + 1]
    end
  end
  q.throttle, q.slots, q.kind, q.full, q.window, q.now = throttle, slots, kind, full, window, now
  q.till = q['until'] or 0
  local paused = math.max(q.refused or 0, q.paused or 0)
  if paused > now then
    -- Start the pause again.
    q.refused, q.till = math.min(q.refused or now, now), now + q.till - paused
    redis.call('HSET', throttle, 'refused:' .. kind, q.refused, 'until:' .. kind, q.till,
      'paused:' .. kind, now)
  end
  return q
end

-- Whether a request takes a slot: always with a configured limit, otherwise after refusals.
local function takes_slot(q)
  return q.full > 0 or q.streak or q.limit
end

-- The current limit, 0 for none: it grows by a step for every window without a refusal.
local function limit_now(q)
  if not q.limit then
    return q.full
  end
  if q.quiet > q.now then
    q.quiet = q.now
    redis.call('HSET', q.throttle, 'quiet:' .. q.kind, q.now)
  end
  local full = q.full > 0 and q.full or q.supposed or q.limit
  local windows = math.floor((q.now - q.quiet) / q.window)
  if windows < 1 then
    return math.min(math.floor(q.limit), full)
  end
  local grown = q.limit + windows * full * (q.full > 0 and STEP or SUPPOSED_STEP)
  if grown < full then
    local quiet = q.quiet + windows * q.window
    redis.call('HSET', q.throttle, 'limit:' .. q.kind, grown, 'quiet:' .. q.kind, quiet)
    q.limit, q.quiet = grown, quiet
    return math.floor(grown)
  end
  redis.call('HDEL', q.throttle, 'limit:' .. q.kind, 'shrunk:' .. q.kind, 'quiet:' .. q.kind,
    'supposed:' .. q.kind)
  q.limit = nil
  if not takes_slot(q) then
    redis.call('DEL', q.slots)
  end
  return q.full
end

-- The limit as last computed, 0 for none.
local function limit_known(q)
  return q.limit and math.floor(q.limit) or q.full
end

-- Lower the limit after a refusal, at most once a window, and return it. If none is configured,
-- start from a supposed one and go no lower than half of it: nothing shows that even that was too
-- many.
local function shrink(q, supposed)
  local limit = limit_now(q)
  if limit == 0 then
    limit = supposed
    q.supposed = supposed
    redis.call('HSET', q.throttle, 'supposed:' .. q.kind, supposed)
  end
  local least = q.full == 0 and math.floor((q.supposed or 2) / 2) or 1
  if not q.shrunk or q.shrunk > q.now or q.now - q.shrunk >= q.window then
    q.shrunk = q.now
    limit = math.max(least, math.floor(limit * SHRINK))
  end
  redis.call('HSET', q.throttle, 'limit:' .. q.kind, limit, 'shrunk:' .. q.kind, q.shrunk,
    'quiet:' .. q.kind, q.now)
  return limit
end

-- Milliseconds until the next slot is free: 0 for now, -1 for not before a response comes.
local function slot_wait(q, limit)
  if limit == 0 or redis.call('ZCARD', q.slots) < limit then
    return 0
  end
  -- Times are truncated to milliseconds: a slot is held for all of its last one.
  redis.call('ZREMRANGEBYSCORE', q.slots, '-inf', '(' .. q.now)
  local surplus = redis.call('ZCARD', q.slots) - limit
  if surplus < 0 then
    return 0
  end
  -- Scores are later than this only after the clock was set back or the window was shortened.
  local latest = q.now + q.window
  for _, slot in ipairs(redis.call('ZRANGEBYSCORE', q.slots, '(' .. latest, '(inf')) do
    redis.call('ZADD', q.slots, latest, slot)
  end
  local free = redis.call('ZRANGE', q.slots, surplus, surplus, 'WITHSCORES')[2]
  return free == 'inf' and -1 or free - q.now + 1
end

-- The same for a slot of a project, which has as many as there are in all sets of its accounts.
local function project_wait(q, sets, limit)
  local held = {}
  for _, set in ipairs(sets) do
    local found = redis.call('ZRANGEBYSCORE', set, q.now, '+inf', 'WITHSCORES')
    for i = 2, #found, 2 do
      held[#held + 1] = found[i] == 'inf' and math.huge or math.min(found[i], q.now + q.window)
    end
  end
  if limit == 0 or #held < limit then
    return 0
  end
  table.sort(held)
  local free = held[#held - limit + 1]
  return free == math.huge and -1 or free - q.now + 1
end

-- The later of two waits; -1 is the longest.
local function longer(one, other)
  return (one < 0 or other < 0) and -1 or math.max(one, other)
end

-- Whether the trial request after the latest refusal is still unanswered. Wait for it no longer
-- than a window: Google may take three minutes for a single request.
local function is_tried(q)
  return q.trial and q.tried <= q.now and q.now - q.tried < q.window
    and redis.call('ZSCORE', q.slots, q.trial) == 'inf'
end

-- How long a request must wait, in milliseconds (0 for not at all, -1 for until a response comes),
-- and which requests wait that long: those of its kind ('pause' after a refusal, else 'kind'), or
-- 'all'. `sets` and `shared` are the sets and the limit of the account's project; no sets if it has
-- that for itself.
local function wait_ms(q, interval, sets, shared)
  local spacing = (q.next or 0) - q.now
  if spacing > interval then
    spacing = interval
    redis.call('HSET', q.throttle, 'next', q.now + interval)
  end
  if spacing > 0 then
    return spacing, 'all'
  end
  if q.till > q.now then
    return q.till - q.now, 'pause'
  end
  -- After a refusal, a single trial request goes first.
  if q.streak and is_tried(q) then
    return -1, 'pause'
  end
  local wait = slot_wait(q, limit_now(q))
  return #sets > 0 and longer(wait, project_wait(q, sets, shared)) or wait, 'kind'
end

-- Hold a slot whose request was answered for one more window. Do not restore a single forgotten
-- slot: acquire.lua infers from the latest slot that all are known. The working server restores
-- them together with remind.lua; a former one cannot, so restore its slot.
local function hold_on(q, slot, works)
  if redis.call('ZSCORE', q.slots, slot) or (q.full > 0 and not works) then
    redis.call('ZADD', q.slots, q.now + q.window, slot)
  end
end

-- Note that a request was not refused for the quota; return the current limit. An unknown outcome
-- leaves the streak to the next request, unless a whole window has passed.
local function not_refused(q, sent, is_certain)
  local is_later = q.refused and sent > q.refused
  if is_later and (is_certain or q.now - q.refused >= q.window) then
    redis.call('HDEL', q.throttle, 'streak:' .. q.kind, 'refused:' .. q.kind, 'until:' .. q.kind,
      'paused:' .. q.kind, 'trial:' .. q.kind, 'tried:' .. q.kind)
    q.streak = nil
  end
  local limit = limit_now(q)
  if not takes_slot(q) then
    redis.call('DEL', q.slots)
  end
  return limit
end

-- Release slots whose requests Google answered without refusing. ARGV[at] is their number; then
-- follow, for each, its kind, its name, its limit, the window in milliseconds, and when its request
-- was sent. KEYS[key] and the keys after it are, for each, the set of slots of its account and kind,
-- and that account's throttle. An epoch that has ended may release, too. Returns the index after
-- these arguments.
local function release_slots(works, now, key, at)
  for i = 0, ARGV[at] - 1 do
    local kind, slot, full, window, sent = unpack(ARGV, at + 1 + 5 * i, at + 5 + 5 * i)
    local q = quota_of(KEYS[key + 2 * i + 1], KEYS[key + 2 * i], kind, tonumber(full),
      tonumber(window), now)
    hold_on(q, slot, works)
    not_refused(q, tonumber(sent), true)
  end
  return at + 1 + 5 * ARGV[at]
end
