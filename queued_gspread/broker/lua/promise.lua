-- Look up what is kept under an idempotency key.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] promises  hash: see promises.lua
-- ARGV[1] epoch     of the asking server
-- ARGV[2] field     the number and the key
-- ARGV[3] id        of the job that asks
--
-- Returns {state, the time since when, the digest of the call and what is kept of its answer}; {}
-- if nothing binds that job; or 'stale'.
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
local prefix = string.match(KEYS[2], '^(.*:)promises$')
local promises = promise_functions()
local promise = promises.promise_at(prefix, ARGV[2])
if not promises.binds(prefix, ARGV[2], promise, ARGV[3], now_ms()) then
  return {}
end
return {promise.state, promise.at, redis.call('HGET', prefix .. 'promised', ARGV[2]) or ''}
