-- Read the journal of a call that an earlier server started.
--
-- KEYS[1] server    hash: the working server and its epoch
-- KEYS[2] journal   list: what the next server must know of the call
-- ARGV[1] epoch     of the asking server
--
-- Returns its entries, or 'stale'.
if not holds(KEYS[1], ARGV[1]) then
  return 'stale'
end
return redis.call('LRANGE', KEYS[2], 0, -1)
