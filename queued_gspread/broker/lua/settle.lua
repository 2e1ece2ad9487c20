-- Settle the unknown outcome of a call under an idempotency key, for an operator who has looked.
--
-- KEYS[1] promises  hash: see promises.lua
-- ARGV[1] field     the number and the key
-- ARGV[2] id        of the job whose outcome it is
-- ARGV[3] kept      what to keep if it was made; '' if it was not, so that it is made next time
-- ARGV[4] keep      milliseconds for which that is kept
--
-- Returns 'settled'; 'running' if the call is still in its lane; or 'known', if that outcome is
-- not, or no longer, unknown.
local prefix = string.match(KEYS[1], '^(.*:)promises$')
local promises = promise_functions()
local now, promise = now_ms(), promises.promise_at(prefix, ARGV[1])
if not promise or promise.job ~= ARGV[2] then
  return 'known'
end
if promise.state == 'begun' then
  if item_of(prefix .. 'lane:' .. promise.lane, promise.entry, promise.job) then
    return 'running'
  end
elseif promise.state ~= 'unknown' then
  return 'known'
end
if ARGV[3] == '' then
  promises.drop_promise(prefix, ARGV[1], promise)
else
  promise.state, promise.at = 'made', now
  promises.put_promise(prefix, ARGV[1], promise, ARGV[3], now + ARGV[4])
end
return 'settled'
