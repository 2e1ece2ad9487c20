-- Note that a lock's holder waits for another lock, which counts as a call of its own here.
--
-- KEYS[1] lane      stream of the holder's jobs, which names the lock in the hash of locks
--
-- Returns 1, or 0 if the lock has ended.
local prefix, name = lock_lane(KEYS[1])
may_grow(prefix .. 'progress')
local now = now_ms()
if not may_use_lock(KEYS[1], now) then
  return 0
end
local lock = lock_at(prefix, name)
lock.last = now
keep_lock(prefix, name, lock)
return 1
