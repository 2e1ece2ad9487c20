-- Locks. The calls of a lock's holder have a lane of their own, SPREADSHEET!NUMBER. The number is
-- the id of the lock's own job, which stays at the head of the spreadsheet's lane while the lock is
-- held (its progress is 'l'): so the others' calls keep their places behind it.
--
-- As most calls are under no lock, a script makes these functions when it needs them:
-- lock_functions() returns those that it names.

-- Of a holder's lane: the prefix of the namespace's keys, the spreadsheet's lane and the number.
local function lock_lane(lane)
  return string.match(lane, '^(.*:)lane:([%w_~-]+)!(%w+)$')
end

-- The lock that a spreadsheet's lane is under, if any; as in locks.py.
local function lock_at(prefix, name)
  local text = redis.call('HGET', prefix .. 'locks', name) or ''
  local number, since, last, hold, state, who =
    string.match(text, '^(%w+) (%d+) (%d+) (%d+) (%a+) (.*)$')
  return number and {number = number, since = tonumber(since), last = tonumber(last),
    hold = tonumber(hold), state = state, who = who}
end

local function keep_lock(prefix, name, lock)
  redis.call('HSET', prefix .. 'locks', name, string.format('%s %.0f %.0f %.0f %s %s',
    lock.number, lock.since, lock.last, lock.hold, lock.state, lock.who))
end

-- Whether a lock's holder has no call in its lane, waiting or running.
local function is_idle(prefix, name, lock)
  return redis.call('XLEN', prefix .. 'lane:' .. name .. '!' .. lock.number) == 0
end

-- While all of a spreadsheet is paused, the time of its lock stands still.
local function is_at_rest(prefix, name)
  local paused = redis.call('HGET', prefix .. 'server', 'paused')
  return paused and pause_of(paused, prefix .. 'lane:' .. name, 'all') ~= nil
end

local function has_lapsed(prefix, name, lock, now)
  return now - lock.last >= lock.hold and is_idle(prefix, name, lock)
    and not is_at_rest(prefix, name)
end

-- Whether the holder of a lane may put in more calls.
local function may_use_lock(lane, now)
  local prefix, name, number = lock_lane(lane)
  local lock = prefix and lock_at(prefix, name)
  return lock and lock.number == number and lock.state == 'held'
    and not has_lapsed(prefix, name, lock, now)
end

-- Whether calls that wait in a holder's lane may no longer start: the lock was broken, or Redis has
-- lost it. One that was released, with calls behind it, ends only after these.
local function is_lock_lost(lane)
  local prefix, name, number = lock_lane(lane)
  local lock = prefix and lock_at(prefix, name)
  return prefix and not (lock and lock.number == number and lock.state ~= 'broken')
end

-- End a lock: take its job out of the spreadsheet's lane, which goes on. If a command is refused,
-- all of it can be run again, as the lock itself goes last.
local function end_lock(prefix, name, number)
  local lane, active = prefix .. 'lane:' .. name, prefix .. 'active'
  local first = redis.call('XRANGE', lane, '-', '+', 'COUNT', 1)[1]
  local length = redis.call('XLEN', lane)
  may_take_out(lane, active)
  may_delete(lane)
  redis.call('HDEL', prefix .. 'progress', '')
  redis.call('HDEL', prefix .. 'deliveries', '')
  redis.call('HDEL', prefix .. 'locks', '')
  count(prefix .. 'depth', 0)
  local is_there = first and job_of(first) == number
  if length > (is_there and 1 or 0) then
    local epoch = redis.call('HGET', prefix .. 'server', 'epoch') or ''
    redis.call('RPUSH', ready_list(prefix .. 'ready', epoch), name)
  end
  if is_there then
    count(prefix .. 'depth', -1)
    take_out(lane, first[1], length)
  end
  if length <= (is_there and 1 or 0) then
    -- If somebody has deleted the lane, nothing else would make it known again.
    redis.call('SREM', active, name)
  end
  redis.call('HDEL', prefix .. 'progress', number)
  redis.call('HDEL', prefix .. 'deliveries', number)
  redis.call('HDEL', prefix .. 'locks', name)
end

-- After a call has left a lane: if that is a holder's, its lock lapses from now on, or ends.
local function note_use(lane, now)
  local prefix, name, number = lock_lane(lane)
  local lock = prefix and lock_at(prefix, name)
  if not lock or lock.number ~= number then
    return
  end
  if lock.state ~= 'held' and is_idle(prefix, name, lock) then
    end_lock(prefix, name, number)
  else
    lock.last = now
    keep_lock(prefix, name, lock)
  end
end
