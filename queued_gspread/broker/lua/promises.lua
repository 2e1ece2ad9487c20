-- Promises: what is kept of calls under idempotency keys. Each has a field, NUMBER KEY, in two
-- hashes and a sorted set, so that no one who may see which there are sees a call or its answer:
--   promises      field -> STATE JOB AT SIZE LANE ENTRY; and the sum of the sizes
--   promised      field -> the digest of the call, and what is kept of its answer; see promises.py
--   keeping       field, by the time after which it is dropped; an unknown outcome has none
-- The states are begun (the job has it while it is made), answered, made (its answer is not kept)
-- and unknown.
--
-- As most calls have no key, a script makes these functions when it needs them: promise_functions()
-- returns those that it names.

local BYTES = 'bytes:'
-- What a promise takes beside its field, and what an answer takes at most; as in promises.py.
local OVERHEAD, RESERVED = 200, 16640
-- After this time it is looked whether the job of a promise that has begun is gone.
local LOOK = 3600000

local function promise_at(prefix, field)
  local text = redis.call('HGET', prefix .. 'promises', field) or ''
  local state, job, at, size, lane, entry =
    string.match(text, '^(%a+) (%w+) (%d+) (%d+) (%S+) (%S+)$')
  return state and {state = state, job = job, at = tonumber(at), size = tonumber(size),
    lane = lane, entry = entry}
end

-- Whether the job of a promise that has begun is still made: it has a mark until it has ended. One
-- that has only read has its key too: what it returns is what its call came to.
local function is_open(prefix, promise)
  return redis.call('HGET', prefix .. 'progress', promise.job) ~= false
end

-- Whether a promise binds a job: another call has made it, or has it.
local function binds(prefix, field, promise, id, now)
  if not promise then
    return false
  end
  if promise.state == 'begun' then
    return promise.job ~= id and is_open(prefix, promise)
  end
  local ends = redis.call('ZSCORE', prefix .. 'keeping', field)
  return not (ends and tonumber(ends) <= now)
end

local function promised_bytes(prefix)
  return tonumber(redis.call('HGET', prefix .. 'promises', BYTES)) or 0
end

local function may_promise(prefix)
  redis.call('HDEL', prefix .. 'promises', '')
  redis.call('HDEL', prefix .. 'promised', '')
  redis.call('ZREM', prefix .. 'keeping', '')
  redis.call('ZADD', prefix .. 'keeping', 'XX', 0, '')
end

-- Store a promise. The sum changes in the same command as the promise itself, which comes last: so
-- all of it can be run again.
local function put_promise(prefix, field, promise, kept, ends)
  may_promise(prefix)
  local before = promise_at(prefix, field)
  promise.size = #field + OVERHEAD + (promise.state == 'begun' and RESERVED or #kept)
  redis.call('HSET', prefix .. 'promised', field, kept)
  if ends then
    redis.call('ZADD', prefix .. 'keeping', ends, field)
  else
    redis.call('ZREM', prefix .. 'keeping', field)
  end
  local text = string.format('%s %s %.0f %d %s %s', promise.state, promise.job, promise.at,
    promise.size, promise.lane, promise.entry)
  local sum = promised_bytes(prefix) - (before and before.size or 0) + promise.size
  redis.call('HSET', prefix .. 'promises', field, text, BYTES, string.format('%.0f', sum))
end

local function drop_promise(prefix, field, promise)
  may_promise(prefix)
  local sum = promised_bytes(prefix) - promise.size
  if sum > 0 then
    redis.call('HSET', prefix .. 'promises', BYTES, string.format('%.0f', sum))
    redis.call('HDEL', prefix .. 'promises', field)
  else
    redis.call('HDEL', prefix .. 'promises', field, BYTES)
  end
  redis.call('HDEL', prefix .. 'promised', field)
  redis.call('ZREM', prefix .. 'keeping', field)
end

-- Drop promises whose time is over, the oldest ones first; return how many were looked at.
local function drop_ended(prefix, now)
  local ends = prefix .. 'keeping'
  local over = redis.call('ZRANGEBYSCORE', ends, '-inf', now, 'LIMIT', 0, 500)
  for _, field in ipairs(over) do
    local promise = promise_at(prefix, field)
    if not promise then
      redis.call('HDEL', prefix .. 'promised', field)
      redis.call('ZREM', ends, field)
    elseif promise.state == 'begun' and is_open(prefix, promise) then
      redis.call('ZADD', ends, now + LOOK, field)
    else
      drop_promise(prefix, field, promise)
    end
  end
  return #over
end

-- Drop them beside something else, which what is wrong with these keys must not keep from its end.
local function try_drop_ended(prefix, now)
  local is_done, refusal = pcall(drop_ended, prefix, now)
  local text = type(refusal) == 'table' and refusal.err or refusal
  if not is_done and not string.find(text, 'WRONGTYPE', 1, true) then
    error(refusal, 0)
  end
end

-- What a job of a lane asks for before it sends a request: MOST BYTES DIGEST FIELD.
local function claim_of(text, key)
  local most, bytes, digest, field = string.match(text, '^(%d+) (%d+) (%x+) (.*)$')
  local prefix, lane = string.match(key, '^(.*:)lane:(.*)$')
  return {most = tonumber(most), bytes = tonumber(bytes), digest = digest, field = field,
    prefix = prefix, lane = lane}
end

-- Whether there is no room for a claim beside those of `new`.
local function is_full(claim, new)
  local many = math.max(0, redis.call('HLEN', claim.prefix .. 'promises') - 1) + new.many
  local bytes = promised_bytes(claim.prefix) + new.bytes + #claim.field + OVERHEAD + RESERVED
  return claim.most > 0 and many >= claim.most or claim.bytes > 0 and bytes > claim.bytes
end

-- Whether a job may go under its claim: 'go', 'promised' if another call has the key, or 'full'.
-- One that may have written goes on. `new` has the fields of the jobs before it that go with it.
local function word_of_claim(claim, id, was, new, now)
  local prefix = claim.prefix
  if may_have_written(was) then
    return 'go'
  end
  local promise = promise_at(prefix, claim.field)
  if new[claim.field] or binds(prefix, claim.field, promise, id, now) then
    return 'promised'
  end
  if not (promise and promise.state == 'begun' and promise.job == id) then
    if promise then
      drop_promise(prefix, claim.field, promise)
    end
    while is_full(claim, new) do
      if drop_ended(prefix, now) == 0 then
        return 'full'
      end
    end
    new.many, new.bytes = new.many + 1, new.bytes + #claim.field + OVERHEAD + RESERVED
  end
  new[claim.field] = true
  return 'go'
end

-- Give a job the key that it asks for, unless it has it.
local function take_claim(claim, id, entry, now)
  local prefix, promise = claim.prefix, promise_at(claim.prefix, claim.field)
  local is_its = promise and promise.state == 'begun' and promise.job == id
  if not is_its and not binds(prefix, claim.field, promise, id, now) then
    put_promise(prefix, claim.field, {state = 'begun', job = id, at = now,
      lane = claim.lane, entry = entry}, claim.digest, now + LOOK)
  end
end

-- Keep what came of a job: STATE MILLISECONDS LENGTH FIELD WHAT. With the state `free`, the key may
-- be used again as if the job had never been. A retry finds that it is kept.
local function keep_promise(prefix, text, id, lane, entry, now)
  local state, keep, length, at = string.match(text, '^(%a+) (%d+) (%d+) ()')
  local field, kept = string.sub(text, at, at + length - 1), string.sub(text, at + length + 1)
  local promise = promise_at(prefix, field)
  if state ~= 'free' then
    if not binds(prefix, field, promise, id, now) then
      put_promise(prefix, field, {state = state, job = id, at = now, lane = lane, entry = entry},
        kept, state ~= 'unknown' and now + keep)
    end
  elseif promise and promise.job == id and promise.state == 'begun' then
    drop_promise(prefix, field, promise)
  end
end
