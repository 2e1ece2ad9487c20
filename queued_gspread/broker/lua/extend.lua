-- Note that a lock's holder waits for another lock, which counts as a call of its own here.
--
-- KEYS[1] lane      stream of the holder's jobs, which names the lock in the hash of locks
--
-- Returns 1, or 0 if the lock has ended.
local now = now_ms()
if not may_use_lock(KEYS[1], now) then
  return 0
end
note_use(KEYS[1], now)
return 1
