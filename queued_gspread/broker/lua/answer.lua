-- Answer jobs of one lane, remove them from it, and look at the next job. Before that, and in any
-- case, release slots whose requests were answered. In a lane of a lock's holder, note that for the
-- lock, in the hash of locks; one that was released or broken ends with its last call.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] lane      stream of the lane's jobs
-- KEYS[3] active    set: names of the lanes that a server knows, or will learn of from ready
-- KEYS[4] progress  hash: job id -> how far the call is
-- KEYS[5] deliveries hash: job id -> the epochs under which it was delivered
-- KEYS[6] depth     how many jobs wait in the namespace
-- KEYS[7] answered  sorted set: see vouch_for in common.lua
-- then, for each job:
--         reply     stream with the job's reply
--         journal   list: what the next server would need to know of the call
-- then, for each slot to release:
--         slots     sorted set: the slots of its account and kind
--         throttle  hash: that account's; see quota.lua
-- then, if any job has a failure:
--         failed    sorted set: calls that nobody waited for and that failed, by time
--         outcomes  sorted set: others whose callers may not know what was done
--         errors    sorted set: others that failed
-- ARGV[1] epoch     of the answering server
-- ARGV[2] name      of the lane
-- ARGV[3] expiry    seconds after which an unfetched reply is dropped
-- ARGV[4] slots_to_release  how many; then, for each of them:
--         kind      its request's kind of quota
--         slot      its name
--         limit     slots of its kind; 0 for no limit
--         window    milliseconds
--         sent      the time that acquire.lua returned
-- then:   vouched   what to take in at KEYS[7], in JSON, or ''
--         most      how many failed calls of each sort are kept, the oldest ones are dropped; 0 if
--                   no job has a failure
-- then, for each job:
--         entry     in the stream
--         id
--         body      of the reply, or '' to leave no answer
--         failure   what is kept of the call's failure, after the number of its key, from 0 for
--                   failed; or ''
--         promise   what is kept under the call's idempotency key, or ''; see promises.lua
--
-- Returns what head.lua returns.
may_grow(KEYS[1])
local now, works = now_ms(), holds(KEYS[1], ARGV[1])
-- The index of most is known before the slots are released.
local most = tonumber(ARGV[6 + 5 * ARGV[4]])
local kept = most > 0 and #KEYS - 3 or #KEYS
local released = kept - 2 * ARGV[4]
local at = release_slots(works, now, released + 1, 4)
if not works then
  return 'stale'
end

local function may_answer(reply)
  may_take_out(KEYS[2], KEYS[3])
  redis.call('XADD', reply .. '/', 'NOMKSTREAM', '*', 'body', '')
  redis.call('EXPIRE', reply .. '/', ARGV[3])
end

local vouched = ARGV[at]

-- The first thing that is written of a job: run again, it changes nothing.
local function keep(failure)
  local key = KEYS[kept + 1 + string.sub(failure, 1, 1)]
  try('ZADD', key, 'NX', now_ms(), string.sub(failure, 2))
  try('ZREMRANGEBYRANK', key, 0, -1 - most)
end

local gone, promises = {}, nil
local function answer(reply, journal, entry, id, body, failure, promise)
  local mark = redis.call('HGET', KEYS[4], id) or ''
  if promise ~= '' then
    promises = promises or promise_functions()
    promises.keep_promise(string.match(KEYS[2], '^(.*:)lane:'), promise, id, ARGV[2], entry, now)
  end
  if item_of(KEYS[2], entry, id) then
    if failure ~= '' then
      keep(failure)
    end
    count(KEYS[6], -1)
    if string.sub(mark, 2, 2) ~= 'x' and body ~= '' then
      redis.call('XADD', reply, '*', 'body', body)
      redis.call('EXPIRE', reply, ARGV[3])
    end
    redis.call('XDEL', KEYS[2], entry)
  end
  redis.call('HDEL', KEYS[4], id)
  redis.call('HDEL', KEYS[5], id)
  gone[#gone + 1] = journal
end

may_answer(KEYS[8])
if vouched ~= '' then
  vouch_for(KEYS[1], KEYS[7], vouched)
end

for i = 0, (released - 7) / 2 - 1 do
  local key, arg = 8 + i * 2, at + 2 + i * 5
  answer(KEYS[key], KEYS[key + 1], unpack(ARGV, arg, arg + 4))
end
local is_empty = redis.call('XLEN', KEYS[2]) == 0
if is_empty then
  gone[#gone + 1] = KEYS[2]
  redis.call('SREM', KEYS[3], ARGV[2])
end
redis.call('DEL', unpack(gone))
if is_of_lock(KEYS[2]) then
  local locks = lock_functions()
  locks.note_use(KEYS[2], now)
end
return not is_empty and head(KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[2], ARGV[1])
