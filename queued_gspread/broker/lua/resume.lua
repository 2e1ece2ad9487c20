-- End a pause, or all of them. The time of the locks that it held up goes on from now.
--
-- KEYS[1] server    hash: the working server and its epoch; its field `paused` is as in common.lua
-- KEYS[2] actions   stream: what operators have asked for
-- KEYS[3] locks     hash: name of a lane -> who has its lock
-- ARGV[1] scope     as in common.lua; '' for all that there is
-- ARGV[2] by        who asks
-- ARGV[3] why
-- ARGV[4] what      in words, for the server's log
--
-- Returns what has ended, as in the field.
may_grow(KEYS[1])
local left, ended, paused = {}, {}, redis.call('HGET', KEYS[1], 'paused') or ''
for line in string.gmatch(paused, '\n[^\n]+') do
  local is_meant = ARGV[1] == '' or string.sub(line, 2, #ARGV[1] + 2) == ARGV[1] .. ' '
  local to = is_meant and ended or left
  to[#to + 1] = line
end
if #ended == 0 then
  return ''
end
-- Checks that Redis permits what comes last.
redis.call('HSET', KEYS[1], 'paused', paused)
local locks = lock_functions()
local now, prefix = now_ms(), string.match(KEYS[3], '^(.*:)locks$')
for _, name in ipairs(try('HKEYS', KEYS[3])) do
  local lock = locks.is_at_rest(prefix, name) and locks.lock_at(prefix, name)
  if lock then
    lock.last = now
    locks.keep_lock(prefix, name, lock)
  end
end
note_action(KEYS[1], KEYS[2], ARGV[2], ARGV[4], ARGV[3])
if #left > 0 then
  redis.call('HSET', KEYS[1], 'paused', table.concat(left))
else
  redis.call('HDEL', KEYS[1], 'paused')
end
return table.concat(ended)
