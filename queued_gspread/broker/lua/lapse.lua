-- End the locks that have lapsed, and those that have ended otherwise.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] locks     hash: name of a lane -> who has its lock
-- ARGV[1] epoch     of the asking server
-- ARGV[2] name      of a lane that waits behind a lock's job; absent for none
-- ARGV[3] number    of that lock: if it is not there, the lane goes on
--
-- Returns {how many are left, then {name, who} of each that has lapsed}; or 'stale'.
may_grow(KEYS[1])
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
local locks = lock_functions()
local now, prefix, lapsed = now_ms(), string.match(KEYS[2], '^(.*:)locks$'), {0}

local function look_at(name)
  local lock = locks.lock_at(prefix, name)
  if not lock then
    return
  end
  if lock.last > now then
    -- The clock was set back.
    lock.last = now
    locks.keep_lock(prefix, name, lock)
  end
  local is_over = lock.state ~= 'held' and locks.is_idle(prefix, name, lock)
  if not is_over and locks.has_lapsed(prefix, name, lock, now) then
    lapsed[#lapsed + 1] = {name, lock.who}
    is_over = true
  end
  if is_over then
    locks.end_lock(prefix, name, lock.number)
  else
    lapsed[1] = lapsed[1] + 1
  end
end

for _, name in ipairs(redis.call('HKEYS', KEYS[2])) do
  look_at(name)
end
if ARGV[2] then
  local lock = locks.lock_at(prefix, ARGV[2])
  if not lock or lock.number ~= ARGV[3] and locks.is_idle(prefix, ARGV[2], lock) then
    locks.end_lock(prefix, ARGV[2], ARGV[3])
  end
end
return lapsed
