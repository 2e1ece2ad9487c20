-- Let a lock end: at once, or after its holder's last call that waits or runs.
--
-- KEYS[1] lane      stream of the holder's jobs, which names the lock; the scripts that end it use
--                   the keys of its spreadsheet's lane, locks, server, active, ready, progress,
--                   deliveries and depth
-- ARGV[1] state     'released', or 'broken': then calls that wait are refused, and it stays broken
--
-- Returns 1, or 0 if it has ended before.
local locks = lock_functions()
local prefix, name, number = locks.lock_lane(KEYS[1])
may_grow(prefix .. 'progress')
local lock = locks.lock_at(prefix, name)
if not lock or lock.number ~= number then
  return 0
end
if lock.state ~= 'broken' then
  lock.state = ARGV[1]
  locks.keep_lock(prefix, name, lock)
end
if locks.is_idle(prefix, name, lock) then
  locks.end_lock(prefix, name, number)
end
return 1
