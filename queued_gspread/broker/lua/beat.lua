-- Record that a server is alive, and make it the working one if no other is. The working one drops
-- promises whose time is over.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] ready     prefix of the lists of lanes that wait for a server, one for each epoch
-- KEYS[3] active    set: names of the lanes that a server knows, or will learn of from ready
-- KEYS[4] deliveries hash: job id -> the epochs under which it was delivered
-- KEYS[5] lane      prefix of the streams of the lanes' jobs
-- KEYS[6] account   string: the account that the namespace belongs to
-- KEYS[7] actions   stream: what operators have asked for
-- ARGV[1] id        of the asking server
-- ARGV[2] lease     milliseconds without a beat after which a server counts as gone
-- ARGV[3] about     the asking server's description, for other servers and observers
-- ARGV[4] epoch     that the asking server holds, or ''
-- ARGV[5] max_queue how many jobs may wait in the namespace; 0 for any number
-- ARGV[6] generation its signed generation, for callers that sign; '' if nothing is signed
-- ARGV[7] certain   '1' if, as far as it knows, no other can have taken over, or ''
-- ARGV[8] holdups   what holds requests up, for waiting callers; '' for nothing
-- ARGV[9] token     '1' if it can send requests, or ''
-- ARGV[10] account  whose token it is, in words; '' if not known yet
-- ARGV[11] replaces the account that this one may replace; '' for none
-- ARGV[12] quota    the quota that it assumes, in words, for observers
-- ARGV[13] logged   the latest of the actions that this server has logged, or ''
--
-- Returns {'kept', epoch, now, 1 if a server with a token stands by or 0, paused, actions, moved,
-- owner}; {'taken', epoch, now, description of the server that had the lease before or '',
-- milliseconds since its last beat, 1 if there was no epoch before, paused, actions, moved, owner}
-- (a new epoch: read the queue again), where paused is as in common.lua or '', and the actions are
-- the entries that no server has logged; or {'held', description of the other server or '' for the
-- asking one's own earlier lease, milliseconds until it counts as gone, answered as in the hash,
-- owner}. Moved is how many milliseconds ago this Redis got its first beat since it started or
-- became a master. The owner is the account that the namespace belongs to, or ''.
may_grow(KEYS[1])
-- Milliseconds for which a standby server counts as having a token, and after which it says so
-- again.
local BELIEVED, AGAIN = 2000, 500
local now, has_token, account, replaces = now_ms(), ARGV[9] ~= '', ARGV[10], ARGV[11]
local holder, epoch, at, about, lease, worked, master, in_doubt, standby, moved, paused, logged =
  unpack(redis.call('HMGET', KEYS[1], 'holder', 'epoch', 'last_beat', 'description', 'lease',
    'worked', 'master', 'in_doubt', 'standby', 'moved', 'paused', 'logged'))
-- A namespace belongs to the account that first had a token in it.
local owner = try('GET', KEYS[6])
owner = type(owner) == 'string' and owner or ''
if has_token and account ~= '' and account ~= owner and (owner == '' or owner == replaces) then
  redis.call('SET', KEYS[6], account)
  owner = account
end
local is_foreign = owner ~= '' and account ~= '' and account ~= owner
standby = tonumber(standby)
if standby and standby > now then
  standby = nil
end
local is_relieved = standby and now - standby < BELIEVED
at = tonumber(at) or 0
if holder and at > now then
  -- The clock was set back since that beat. If it was the last one, one more lease is enough.
  at = now
  redis.call('HSET', KEYS[1], 'last_beat', now)
end
-- Redis takes a new replication id whenever it starts or becomes a master. The lease stored here is
-- then older than the one its holder may have been confirmed with, and another server may have
-- taken over since. So the lease counts from now on, and only a holder that is certain of it may
-- resume it before its end. Without permission for INFO, assume that the id is the same.
local info = redis.pcall('INFO', 'replication')
local here = type(info) == 'string' and string.match(info, 'master_replid:(%w+)') or master or ''
if master and master ~= here and (holder or ARGV[7] == '') then
  holder, at, in_doubt = holder or '', now, '1'
  about = about or 'a server'
  lease = string.format('%.0f', math.max(tonumber(lease) or 0, ARGV[2]))
  redis.call('HSET', KEYS[1], 'holder', holder, 'last_beat', now, 'description', about,
    'lease', lease, 'in_doubt', '1')
end
local holds_it = holder == ARGV[1] and epoch == ARGV[4]
local is_mine = holder == ARGV[1] and not in_doubt or holds_it and ARGV[7] ~= ''
moved = tonumber(moved) or 0
if not (moved >= 0 and moved <= now) then
  moved = 0
end
if master ~= here then
  moved = now
  redis.call('HSET', KEYS[1], 'master', here, 'moved', now)
end
-- By the holder's own lease: the asking server's may be shorter than the time between the holder's
-- beats.
local left = at + (tonumber(lease) or 0) - now
-- Perhaps late, but no other server has worked in between.
local is_kept = holds_it and is_mine
local is_held = holder and left > 0 and not is_mine
-- A server without a token leaves the lease to one that has it; another account never takes it.
if is_held or not is_kept and (is_foreign or is_relieved and not has_token) then
  local answered = redis.call('HGET', KEYS[1], 'answered') or ''
  if has_token and not is_foreign and not (standby and now - standby < AGAIN) then
    redis.call('HSET', KEYS[1], 'standby', now)
  end
  if not is_held then
    return {'held', 'a server that has an access token', AGAIN, answered, owner}
  end
  return {'held', holder ~= ARGV[1] and about or '', left, answered, owner}
end

local after = string.match(ARGV[13] ~= '' and ARGV[13] or logged or '', '^%d+%-%d+$')
local actions = try('XRANGE', KEYS[7], after and '(' .. after or '-', '+', 'COUNT', 100)

-- For the server that is gone, count jobs as delivered that it had popped from its list and died
-- before starting: the first job of a lane may come with the lane's name, and counts as delivered
-- only once it starts. Values of a wrong type in these keys must not keep the lease from being
-- taken.
local function count_taken(list)
  local waits = {}
  for start = 0, tonumber(try('LLEN', list)) or 0, 100 do
    -- In pages, since jobs may have come with the names.
    for _, item in ipairs(try('LRANGE', list, start, start + 99)) do
      waits[lane_of(item)] = true
    end
  end
  for _, name in ipairs(try('SMEMBERS', KEYS[3])) do
    local first = not waits[name] and try('XRANGE', KEYS[5] .. name, '-', '+', 'COUNT', 1)[1]
    local id = first and job_of(first) or ''
    if id ~= '' then
      try('HSETNX', KEYS[4], id, '/' .. epoch .. '/')
    end
  end
end

-- Never an epoch that existed before, even if Redis has lost everything.
local newest = string.format('%.0f', math.max((tonumber(epoch) or 0) + 1, now))
-- A server that shut down cleanly did not die of a job, and one that never got to take over the
-- queue had none.
if holder and holder ~= ARGV[1] and epoch and not has_left(KEYS[1], epoch) and worked == epoch then
  count_taken(ready_list(KEYS[2], epoch))
end
if not is_kept then
  -- Checks that Redis permits deleting the previous epoch's list, which comes at the end.
  redis.call('DEL', ready_list(KEYS[2], newest))
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'last_beat', now, 'description', ARGV[3],
  'lease', ARGV[2])
redis.call('HSET', KEYS[1], 'max_queue', ARGV[5], 'generation', ARGV[6],
  'holdups', ARGV[8] ~= '' and now .. ' ' .. ARGV[8] or '',
  'quota', (is_kept and epoch or newest) .. ' ' .. ARGV[12])
if ARGV[13] ~= '' then
  redis.call('HSET', KEYS[1], 'logged', ARGV[13])
end
redis.call('HDEL', KEYS[1], 'in_doubt')
if is_kept then
  local promises = promise_functions()
  promises.try_drop_ended(string.match(KEYS[1], '^(.*:)server$'), now)
  return {'kept', epoch, now, is_relieved and 1 or 0, paused or '', actions, now - moved, owner}
end
redis.call('HDEL', KEYS[1], 'standby')
redis.call('HSET', KEYS[1], 'epoch', newest)
redis.call('DEL', ready_list(KEYS[2], epoch or ''))
return {'taken', newest, now, holder ~= ARGV[1] and about or '', now - at, epoch and 0 or 1,
  paused or '', actions, now - moved, owner}
