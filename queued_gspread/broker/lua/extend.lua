-- Note that a lock's holder waits for another lock, which counts as a call of its own here.
--
-- KEYS[1] lane      stream of the holder's jobs, which names the lock in the hash of locks
--
-- Returns 1, or 0 if the lock has ended.
local locks = lock_functions()
local prefix, name = locks.lock_lane(KEYS[1])
may_grow(prefix .. 'progress')
local now = now_ms()
if not locks.may_use_lock(KEYS[1], now) then
  return 0
end
local lock = locks.lock_at(prefix, name)
lock.last = now
locks.keep_lock(prefix, name, lock)
return 1
