-- The quota of one kind of request; put in front of each script, after the prelude.
--
-- A slot is an entry of a sorted set: its score is the time until which it is held, infinite as
-- long as its request has not been answered. What Google's refusals have taught stands in a hash:
--
-- next          the earliest time for the next request of any kind
-- until:KIND    the time before which no request of that kind is sent
-- streak:KIND   refusals in a row, each of a request that was sent after the one before
-- refused:KIND  the time of the latest of them
-- limit:KIND    the limit, as long as it is below the one that is configured
-- shrunk:KIND   the time at which it was lowered
-- quiet:KIND    the time since which there was no refusal that it has not grown for

-- What a quiet window gives back of the limit that is configured. The limit is kept with its
-- fraction, so that a low one recovers as slowly as a high one.
local STEP = 0.05
-- What a window with a refusal leaves of the limit.
local SHRINK = 0.75

-- When a kind was refused, and until when it pauses. Where the clock has been set back since, the
-- pause begins anew, instead of lasting until the clock has caught up.
local function pause_of(valve, kind, now, refused, till)
  refused, till = tonumber(refused), tonumber(till) or 0
  if refused and refused > now then
    refused, till = now, now + till - refused
    redis.call('HSET', valve, 'refused:' .. kind, refused, 'until:' .. kind, till)
  end
  return refused, till
end

-- The limit that holds now, given what the hash says of it: it grows by a step for every window
-- without a refusal.
local function limit_now(valve, kind, full, window, now, limit, quiet)
  if not limit then
    return full
  end
  if tonumber(quiet) > now then
    quiet = now
    redis.call('HSET', valve, 'quiet:' .. kind, now)
  end
  local windows = math.floor((now - quiet) / window)
  if windows < 1 then
    return math.min(math.floor(limit), full)
  end
  local grown = limit + windows * full * STEP
  if grown >= full then
    redis.call('HDEL', valve, 'limit:' .. kind, 'shrunk:' .. kind, 'quiet:' .. kind)
    return full
  end
  redis.call('HSET', valve, 'limit:' .. kind, grown, 'quiet:' .. kind, quiet + windows * window)
  return math.floor(grown)
end

-- Lower the limit for a refusal, once a window; return it.
local function shrink(valve, kind, full, window, now)
  local known, quiet, shrunk =
    unpack(redis.call('HMGET', valve, 'limit:' .. kind, 'quiet:' .. kind, 'shrunk:' .. kind))
  local limit = limit_now(valve, kind, full, window, now, known, quiet)
  shrunk = tonumber(shrunk)
  if not shrunk or shrunk > now or now - shrunk >= window then
    shrunk = now
    limit = math.max(1, math.floor(limit * SHRINK))
  end
  redis.call('HSET', valve, 'limit:' .. kind, limit, 'shrunk:' .. kind, shrunk, 'quiet:' .. kind, now)
  return limit
end

-- Milliseconds until the next slot is free: 0 now, -1 not before a response comes.
local function slot_wait(slots, limit, window, now)
  if redis.call('ZCARD', slots) < limit then
    return 0
  end
  -- Times are whole milliseconds, cut off: a slot is held for all of the last one.
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', '(' .. now)
  local surplus = redis.call('ZCARD', slots) - limit
  if surplus < 0 then
    return 0
  end
  -- Only a clock that was set back, or a shorter window, makes them later than this.
  for _, slot in ipairs(redis.call('ZRANGEBYSCORE', slots, '(' .. now + window, '(inf')) do
    redis.call('ZADD', slots, now + window, slot)
  end
  local free = redis.call('ZRANGE', slots, surplus, surplus, 'WITHSCORES')[2]
  return free == 'inf' and -1 or free - now + 1
end

-- How long a request has to wait, in milliseconds (0 for now, -1 until a response comes), and
-- which requests wait that long: those of its kind, or all; then the refusals in a row, if any.
local function wait_ms(valve, slots, kind, full, window, interval, now)
  local next_one, refused, till, streak, limit, quiet =
    unpack(redis.call('HMGET', valve, 'next', 'refused:' .. kind, 'until:' .. kind,
      'streak:' .. kind, 'limit:' .. kind, 'quiet:' .. kind))
  local spacing = math.min((tonumber(next_one) or 0) - now, interval)
  if spacing > 0 then
    return spacing, 'all', streak
  end
  refused, till = pause_of(valve, kind, now, refused, till)
  local pause = till - now
  if pause > 0 then
    return pause, 'kind', streak
  end
  if full == 0 then
    return 0, 'kind', streak
  end
  -- After a refusal one request goes first, to see.
  if streak and redis.call('ZCOUNT', slots, 'inf', 'inf') > 0 then
    return -1, 'kind', streak
  end
  limit = limit_now(valve, kind, full, window, now, limit, quiet)
  return slot_wait(slots, limit, window, now), 'kind', streak
end
